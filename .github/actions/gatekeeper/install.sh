#!/usr/bin/env bash
# gatekeeper in a virtual environment of its own, made once for all that it depends on, and put on the path.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/say.sh"
. "$here/source.sh"
on_a_runner

python=${INPUT_PYTHON:-$(command -v python3)}
folder=$INPUT_FOLDER
find_source "${INPUT_VERSION:-}"
extras=${INPUT_EXTRAS:-}
[[ $extras =~ ^[a-z0-9,-]*$ ]] || refuse 'The input "extras" is a list of names, separated by commas.'

if [ -x "$folder/bin/gatekeeper" ] && [ -e "$folder/.whole" ]; then
  printf 'gatekeeper is installed already\n'
else
  printf 'installing gatekeeper (once; then from the cache)\n'
  mkdir -p -- "${folder%/*}" 2>/dev/null && [ -w "${folder%/*}" ] ||
    refuse "gatekeeper cannot be installed: ${folder%/*} cannot be written. Make it writable for the runner's user."
  "$python" -m venv --clear -- "$folder"
  options=(--disable-pip-version-check --quiet --no-input)
  [ ! -d "$SOURCE" ] || options+=(--constraint "$SOURCE/constraints.txt")
  [ -z "${INPUT_EXTRA_INDEX_URL:-}" ] || options+=(--extra-index-url="$INPUT_EXTRA_INDEX_URL")
  wanted=$SOURCE
  [ -z "$extras" ] || wanted=${SOURCE/gatekeeper-imaging==/gatekeeper-imaging[$extras]==}
  [ -z "$extras" ] || [ ! -d "$SOURCE" ] || wanted="${SOURCE}[$extras]"
  fenced "$folder/bin/python" -m pip install "${options[@]}" -- "$wanted" ||
    refuse 'gatekeeper cannot be installed: see what pip says above. Without a network, put it into the runner'\''s image.'
  : >"$folder/.whole"
fi
"$folder/bin/gatekeeper" --version
[ -z "${GITHUB_PATH:-}" ] || printf '%s\n' "$folder/bin" >>"$GITHUB_PATH"
