#!/usr/bin/env bash
# The gate: ends the step with the code of the check, after everything has been uploaded.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/say.sh"

# Where the dossier can be had is known only now that it has been uploaded.
if [ -n "${INPUT_KEPT:-}" ] && [ -w "${GITHUB_STEP_SUMMARY:-}" ]; then
  printf '\n[Dossier and evidence of this run](%s)\n' "$INPUT_KEPT" >>"$GITHUB_STEP_SUMMARY"
fi

code=${INPUT_EXIT_CODE:-$INVALID}
[[ $code =~ ^[0-9]{1,3}$ ]] || code=$INVALID
if [ "$code" = 4 ] && [ "${INPUT_INCONCLUSIVE:-block}" = warn ]; then
  annotate warning 'INCONCLUSIVE: the evidence decides too little. It does not stop this workflow (inconclusive: warn), and releases nothing.'
  exit 0
fi
case $code in
  0) printf 'gate  open: %s\n' "${INPUT_VERDICT:-}" ;;
  1) printf 'gate  shut: FAIL, or a PASS that something bars from release\n' ;;
  2) printf 'gate  shut: wrong usage or configuration\n' ;;
  3) printf 'gate  shut: a digest or a signature does not hold\n' ;;
  4) printf 'gate  shut: INCONCLUSIVE; more cases decide it, or inconclusive: warn lets the workflow go on\n' ;;
  *) printf 'gate  shut: the check did not come to a verdict (%s)\n' "$code" ;;
esac
exit "$code"
