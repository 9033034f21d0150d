#!/usr/bin/env bash
# System libraries that pip cannot bring, installed where they are missing and where that is allowed.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/say.sh"
on_a_runner

python=${INPUT_PYTHON:-}
python=${python:-$(command -v python3 || true)}
[ -n "$python" ] || refuse 'There is no Python here. Set the input "python-version", or install Python 3.11 to 3.13.'
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
  refuse "gatekeeper needs Python 3.11, 3.12 or 3.13; $("$python" --version) is here. Set the input \"python-version\"."
[ "$(uname -s)" = Linux ] || refuse 'gatekeeper runs on Linux: choose a Linux runner.'

said=$(PYTHON=$python sh "$here/../../../.ci/system-packages" 2>&1) && code=0 || code=$?
[ -z "$said" ] || printf '%s\n' "$said"
[ "$code" = 0 ] ||
  refuse "System libraries are missing, and cannot be installed here: ${said##*$'\n'}. Put them into the runner's image."
