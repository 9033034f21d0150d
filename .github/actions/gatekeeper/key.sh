#!/usr/bin/env bash
# Where the installation lies, and the key of the cache: all that it depends on.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/say.sh"
. "$here/source.sh"
on_a_runner

python=${INPUT_PYTHON:-$(command -v python3)}
find_source "${INPUT_VERSION:-}"
plain extras "${INPUT_EXTRAS:-}"
plain extra-index-url "${INPUT_EXTRA_INDEX_URL:-}"
if [ -d "$SOURCE" ]; then
  # The source as it is, whatever git says of it.
  what=$(cd -- "$SOURCE" && find pyproject.toml constraints.txt gatekeeper policies configs -type f \
    -not -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
else
  what=$SOURCE
fi
key=$(printf '%s\n' "$(uname -sm)" "$("$python" -VV)" "$what" "${INPUT_EXTRAS:-}" "${INPUT_EXTRA_INDEX_URL:-}" |
  sha256sum | cut -c1-24)
output key "gatekeeper-$key"
output folder "${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}/gatekeeper/$key"
