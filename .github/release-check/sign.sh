#!/usr/bin/env bash
# The run that validation left, verified and issued anew under the keys for release, then signed by the engineer.
# Neither the model nor the images are here, and nothing is run.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
. "$here/../actions/gatekeeper/say.sh"
. "$here/../actions/gatekeeper/keys.sh"
on_a_runner

validated=$RUNNER_TEMP/validated
signed=$RUNNER_TEMP/signed
trusted_root 'Signing'
[ -f "$validated/verdict.json" ] || refuse 'Validation left no run: see its job.' "$INVALID"
[ -f "$validated/development-root.pem" ] || refuse 'The run does not say which development key signed it.' 3

GATEKEEPER_HOME=$(mktemp -d -- "$RUNNER_TEMP/signing.XXXXXX")
export GATEKEEPER_HOME
trap 'rm -rf -- "$GATEKEEPER_HOME"' EXIT
key_of tool "${GATEKEEPER_TOOL_KEY:-}"
key_of engineer "${GATEKEEPER_ENGINEER_KEY:-}"
unset GATEKEEPER_TOOL_KEY GATEKEEPER_ENGINEER_KEY

by_validation=(--trust "$INPUT_TRUST" --trust "tool=$validated/development-root.pem")
fenced gatekeeper verify "${by_validation[@]}" -- "$validated"
fenced gatekeeper reissue --out "$signed" "${by_validation[@]}" -- "$validated"
[ -d "$signed/validated" ] || refuse 'The signed run was not written.' "$INVALID"
fenced gatekeeper sign --role engineer -- "$signed/validated"
output run "$signed/validated"
