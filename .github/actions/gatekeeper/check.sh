#!/usr/bin/env bash
# The check itself. The step succeeds whatever comes out, so that the dossier is uploaded; gate.sh ends with the code.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/say.sh"
. "$here/keys.sh"
on_a_runner

code=$USAGE
told() {
  printf 'exit-code=%s\n' "$code" >>"$GITHUB_OUTPUT"
  rm -rf -- "${secret_home:-}"
  exit 0
}
trap told EXIT

one_of signing "${INPUT_SIGNING:-development}" none development key
one_of inconclusive "${INPUT_INCONCLUSIVE:-block}" block warn
one_of require-releasable "${INPUT_REQUIRE_RELEASABLE:-false}" true false
[ "${GITHUB_EVENT_NAME:-}" != pull_request_target ] ||
  refuse 'On pull_request_target a stranger'\''s candidate would be loaded beside your secrets. Use pull_request.'
if ! { [ -n "${GITHUB_STEP_SUMMARY:-}" ] && : >>"$GITHUB_STEP_SUMMARY"; } 2>/dev/null; then
  annotate notice 'This runner has no file for a job summary: the verdict is in the log and in the dossier alone.'
  export GITHUB_STEP_SUMMARY=$RUNNER_TEMP/gatekeeper-summary.md
  : >"$GITHUB_STEP_SUMMARY"
fi

use_home
case ${INPUT_SIGNING:-development} in
  development) development_keys ;;
  key)
    secret_home=$(mktemp -d -- "$RUNNER_TEMP/signing.XXXXXX")
    GATEKEEPER_HOME=$secret_home
    key_of tool "${GATEKEEPER_TOOL_KEY:-}"
    ;;
  none) ;; # the machine's own keys, in its own home
esac
unset GATEKEEPER_TOOL_KEY

arguments=(--report github)
for name in policy candidate testset root approval out; do
  variable=INPUT_${name^^}
  value=${!variable:-}
  plain "$name" "$value"
  [ -z "$value" ] || arguments+=("--$name=$value")
done
[ "${INPUT_REQUIRE_RELEASABLE:-false}" = false ] || arguments+=(--require-releasable)

# One a line; empty lines and the ends of lines do not count.
lines_of() { sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d' <<<"$1"; }

mapfile -t reports < <(lines_of "${INPUT_REPORTS:-}")
for report in "${reports[@]}"; do
  plain reports "$report"
  arguments+=("--report=$report")
done
mapfile -t overrides < <(lines_of "${INPUT_OVERRIDES:-}")
for override in "${overrides[@]}"; do plain overrides "$override"; done

code=$INVALID
if fenced gatekeeper check "${arguments[@]}" -- "${overrides[@]}"; then code=0; else code=$?; fi

# The root of a development key goes with the run, so that the next job can hold it against something.
run=$(output_so_far run)
[ ! -f "$GATEKEEPER_HOME/keys/development-root.pem" ] || [ ! -d "$run" ] ||
  cp -- "$GATEKEEPER_HOME/keys/development-root.pem" "$run/"
