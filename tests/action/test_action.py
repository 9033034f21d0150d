from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from action.conftest import INPUTS, Organisation, secrets_of
from action.runner import REPOSITORY, Runner

Machine = Callable[..., Runner]


def test_a_sound_candidate_passes_its_gate_and_its_dossier_is_kept(machine: Machine) -> None:
    runner = machine()
    job = runner.action(**INPUTS, reports="junit:junit.xml\n\n  sarif:gate.sarif  \n", overrides="engine.batch_size=8")
    assert (job.result, job.code) == ("success", 0), job.log
    outputs = job.outputs
    assert (outputs["verdict"], outputs["exit-code"], outputs["releasable"]) == ("PASS", "0", "false")
    for name in ("run", "dossier", "attestation"):
        assert (runner.workspace / outputs[name]).exists()
    verdict = json.loads((runner.workspace / outputs["run"] / "verdict.json").read_text())
    assert outputs["digest"] == verdict["digests"]["candidate"]
    assert "PASS" in job.summary
    assert "(https://github.com/OWNER/models/actions/runs/1/artifacts/gatekeeper-dossier)" in job.summary
    assert len(job.summary.encode()) < 1 << 20
    assert {path.name for path in runner.workspace.glob("*.xml")} | {"gate.sarif"} == {"junit.xml", "gate.sarif"}
    assert runner.artifacts is not None
    assert (runner.artifacts / "gatekeeper-dossier" / "dossier.pdf").read_bytes().startswith(b"%PDF")
    assert not job.annotations("error")


def test_a_defective_candidate_is_blocked_with_its_place_in_the_policy_and_its_dossier_is_kept(
    machine: Machine,
) -> None:
    runner = machine()
    job = runner.action(**INPUTS | {"candidate": "candidate/moved.yaml"})
    assert (job.result, job.code) == ("failure", 1), job.log
    assert (job.outputs["verdict"], job.outputs["exit-code"]) == ("FAIL", "1")
    errors = job.annotations("error")
    policy = (runner.workspace / "policy.yaml").read_text().splitlines()
    places = [re.search(r"file=policy\.yaml,line=(\d+)", error.properties) for error in errors]
    assert any(place and policy[int(place[1]) - 1].strip() == "specificity:" for place in places), errors
    assert runner.artifacts is not None
    assert (runner.artifacts / "gatekeeper-dossier" / "dossier.pdf").exists()
    assert [step.name for step in job.steps if step.conclusion == "failure"] == ["Gate"]


@pytest.mark.parametrize(("mode", "code"), [("warn", 0), ("block", 4)])
def test_inconclusive_blocks_or_warns(machine: Machine, mode: str, code: int) -> None:
    runner = machine()
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "gate.sh"
    step = runner.script("gate", f'"{script}"', {"INPUT_EXIT_CODE": "4", "INPUT_INCONCLUSIVE": mode})
    assert step.code == code
    assert [command.name for command in step.commands] == (["warning"] if mode == "warn" else [])


@pytest.mark.parametrize("code", ["0", "1", "2", "3", "5", "130", "", "x; touch canary"])
def test_warning_of_what_is_inconclusive_changes_no_other_code(machine: Machine, code: str) -> None:
    runner = machine()
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "gate.sh"
    step = runner.script("gate", f'"{script}"', {"INPUT_EXIT_CODE": code, "INPUT_INCONCLUSIVE": "warn"})
    assert step.code == (int(code) if code.isdigit() else 5)


def test_a_key_for_release_from_a_secret_opens_a_gate_that_asks_for_a_release(
    machine: Machine, organisation: Organisation
) -> None:
    runner = machine(variables={"GATEKEEPER_TOOL_KEY": secrets_of(organisation)["GATEKEEPER_TOOL_KEY"]})
    job = runner.action(**INPUTS, signing="key", **{"require-releasable": "true"})
    assert (job.code, job.outputs["verdict"], job.outputs["releasable"]) == (0, "PASS", "true"), job.log
    assert not list(runner.temp.rglob("*.p12")), "a key was left behind"


def test_inputs_reach_the_command_one_by_one_and_no_other_does(machine: Machine, tmp_path: Path) -> None:
    runner = machine()
    told = tmp_path / "told"
    program = tmp_path / "bin" / "gatekeeper"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{told}"\nexit 4\n')
    program.chmod(0o755)
    runner.path = f"{program.parent}:{runner.path}"
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "check.sh"
    inputs = {"POLICY": "our policy.yaml", "ROOT": "images", "OVERRIDES": " engine.device=cuda \n\nengine.batch_size=8"}
    environment = {f"INPUT_{name}": value for name, value in inputs.items()}
    step = runner.script("check", f'"{script}"', {**environment, "INPUT_REQUIRE_RELEASABLE": "true"})
    assert (step.code, step.outputs["exit-code"]) == (0, "4")
    assert told.read_text().splitlines() == [
        *("check", "--report", "github", "--policy=our policy.yaml", "--root=images", "--require-releasable"),
        *("--", "engine.device=cuda", "engine.batch_size=8"),
    ]


def test_install_only_checks_nothing_and_puts_the_command_on_the_path(machine: Machine) -> None:
    runner = machine()
    job = runner.action(**{"install-only": "true"})
    assert job.result == "success"
    assert [step.outcome for step in job.steps if step.name in ("Check the candidate", "Gate")] == ["skipped"] * 2
    assert runner.script("then", "gatekeeper --version", {}).log.startswith("gatekeeper ")


def test_a_machine_of_one_s_own_needs_neither_setup_nor_cache_nor_network(machine: Machine) -> None:
    runner = machine(hosted=False)
    runner.path = f"{Path(sys.executable).parent}:{runner.path}"
    job = runner.action(**{"install-only": "true", "python-version": "", "cache": "true"})
    assert job.result == "success", job.log
    skipped = {step.name for step in job.steps if step.outcome == "skipped"}
    assert {"Set up Python", "Installation from the cache"} <= skipped
    assert "installed already" in job.log


BACKEND = """
import zipfile
from pathlib import Path

FILES = {
    "METADATA": "Metadata-Version: 2.1\\nName: gatekeeper-imaging\\nVersion: 9.9.9\\nProvides-Extra: models\\n",
    "WHEEL": "Wheel-Version: 1.0\\nGenerator: none\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "entry_points.txt": "[console_scripts]\\ngatekeeper = nothing:run\\n",
    "RECORD": "",
}


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "gatekeeper_imaging-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(Path(folder) / name, "w") as wheel:
        wheel.writestr("nothing.py", "def run():\\n    print('gatekeeper 9.9.9')\\n")
        for file, text in FILES.items():
            wheel.writestr(f"gatekeeper_imaging-9.9.9.dist-info/{file}", text)
    return name
"""


def test_a_folder_is_installed_once_by_pip_and_taken_as_it_is_the_second_time(machine: Machine) -> None:
    runner = machine()
    source = runner.workspace / "gate source"
    for name in ("gatekeeper", "policies", "configs"):
        (source / name).mkdir(parents=True)
    (source / "constraints.txt").touch()
    (source / "backend.py").write_text(BACKEND)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "gatekeeper-imaging"\nversion = "9.9.9"\n'
    )
    first = runner.action(version="gate source", **{"install-only": "true"})
    assert first.result == "success", first.log
    assert "installing gatekeeper" in first.log
    assert "gatekeeper 9.9.9" in first.log
    second = runner.action(version="gate source", **{"install-only": "true"})
    assert "installed already" in second.log
    (source / "gatekeeper" / "changed.py").touch()
    assert second.step("Key of the installation").outputs != runner.action(
        version="gate source", **{"install-only": "true"}
    ).step("Key of the installation").outputs  # fmt: skip


@pytest.mark.parametrize(
    "version", ["1.2.0; touch canary", "../elsewhere", "-e .", "$(touch canary)", "git+https://x.example/y", "1.0\n2.0"]
)
def test_what_is_neither_a_version_nor_the_source_of_gatekeeper_is_not_installed(
    machine: Machine, version: str
) -> None:
    runner = machine()
    job = runner.action(version=version, **{"install-only": "true"})
    assert job.code == 2, job.log
    assert [command.name for command in job.commands] == ["error"]
    assert not list(runner.workspace.rglob("canary"))


def test_missing_libraries_that_cannot_be_installed_are_said_in_one_line(machine: Machine, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    runner = machine()
    script = REPOSITORY / ".github" / "actions" / "gatekeeper" / "system.sh"
    python = empty / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *CDLL*) exit 1 ;; *) exit 0 ;; esac\n')
    identity = empty / "id"
    identity.write_text("#!/bin/sh\necho 1000\n")
    sudo = empty / "sudo"
    sudo.write_text("#!/bin/sh\nexit 1\n")
    for program in (python, identity, sudo):
        program.chmod(0o755)
    runner.path = f"{empty}:{runner.path}"
    step = runner.script("system", f'"{script}"', {"INPUT_PYTHON": str(python)})
    assert step.code == 2
    (error,) = [command for command in step.commands if command.name == "error"]
    assert "libpango-1.0-0" in error.data
    assert "runner's image" in error.data
