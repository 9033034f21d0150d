#!/usr/bin/env bash
# The last look before a release, and what is attested of it. No key is here.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/../actions/gatekeeper/say.sh"
. "$here/../actions/gatekeeper/keys.sh"
on_a_runner

readonly MOST_BYTES=$((16 * 1024 * 1024)) # of a predicate, as actions/attest takes it
run=$RUNNER_TEMP/approved
[ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] ||
  refuse 'This job has no identity to attest with. Give the job that calls this workflow permissions: {contents: read, id-token: write, attestations: write}.'
trusted_root 'A release'
fenced gatekeeper verify --trust "$INPUT_TRUST" --require-role qa --require-releasable -- "$run"

python "$here/attested.py" "$run" "$RUNNER_TEMP"
[ "$(stat -c %s -- "$RUNNER_TEMP/predicate.json")" -le "$MOST_BYTES" ] ||
  refuse 'The record of this run is over the 16 MiB that actions/attest takes: attach the attestation to the release instead.' "$INVALID"
output predicate "$RUNNER_TEMP/predicate.json"
output predicate-type "$(cat -- "$RUNNER_TEMP/predicate-type.txt")"
output subjects "$RUNNER_TEMP/subjects.sha256"
