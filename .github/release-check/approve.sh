#!/usr/bin/env bash
# QA's countersignature: made here with QA's key, where the environment holds it and its reviewers have let the job run;
# else fetched from where QA signed on a machine of their own. Either way it is checked, never assumed.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/../actions/gatekeeper/say.sh"
. "$here/../actions/gatekeeper/keys.sh"
on_a_runner

run=$RUNNER_TEMP/signed
theirs=${INPUT_COUNTERSIGNED:-}
trusted_root 'Approval'
plain countersigned "$theirs"

if [ -n "$theirs" ]; then
  id=$(python -c 'import json, sys; print(json.load(open(sys.argv[1], "rb"))["run"]["id"])' "$run/verdict.json")
  [[ $id =~ ^[0-9TZa-f-]+$ ]] || refuse 'The run has no id that could name a folder.' 3
  given=.countersigned/$theirs/$id
  [ -f "$given/dossier.pdf" ] ||
    refuse "QA has not countersigned this run: there is no $given/dossier.pdf. Sign the artifact with \`gatekeeper sign --role qa\`, push it there, and run this job again."
  # A countersignature only adds to the file: what the engineer signed must be its beginning, byte for byte.
  cmp -s -n "$(stat -c %s -- "$run/dossier.pdf")" -- "$run/dossier.pdf" "$given/dossier.pdf" ||
    refuse "$given/dossier.pdf is not the dossier of this run." 3
  for name in dossier.pdf attestation.dsse.json test-result.dsse.json; do cp -- "$given/$name" "$run/$name"; done
else
  [ -n "${GATEKEEPER_QA_KEY:-}" ] ||
    refuse 'QA cannot sign: the environment has no secret GATEKEEPER_QA_KEY, and the input "countersigned" names no folder.'
  GATEKEEPER_HOME=$(mktemp -d -- "$RUNNER_TEMP/signing.XXXXXX")
  export GATEKEEPER_HOME
  trap 'rm -rf -- "$GATEKEEPER_HOME"' EXIT
  key_of qa "$GATEKEEPER_QA_KEY"
  unset GATEKEEPER_QA_KEY
  fenced gatekeeper sign --role qa --trust "$INPUT_TRUST" -- "$run"
fi
fenced gatekeeper verify --trust "$INPUT_TRUST" --require-role engineer --require-role qa -- "$run"
output run "$run"
