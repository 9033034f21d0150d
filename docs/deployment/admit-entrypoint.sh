#!/bin/sh
# Starts a model server only for a model that `gatekeeper admit` admits; else ends with the exit code of that.
#
#   ENTRYPOINT ["/opt/gatekeeper/admit-entrypoint.sh"]
#   CMD ["tritonserver", "--model-repository=/models"]
#
# GATEKEEPER_MODEL    the candidate's YAML, beside its files
# GATEKEEPER_CONTEXT  the id of the policy that it must have passed
# GATEKEEPER_STORE    where the records lie
# GATEKEEPER_TRUST    the root certificate to trust
# GATEKEEPER_ROLE     who must have signed the dossier: qa where this is not set, nobody where it is empty
# GATEKEEPER_MAX_AGE  in days; where it is not set a record does not age
set -eu

refuse() {
    printf 'the server is not started: %s\n' "$1" >&2
    exit "$2"
}

[ "$#" -gt 0 ] || refuse 'no command was given to start' 2
[ -n "${GATEKEEPER_MODEL:-}" ] || refuse 'GATEKEEPER_MODEL is not set' 2
[ -n "${GATEKEEPER_CONTEXT:-}" ] || refuse 'GATEKEEPER_CONTEXT is not set' 2
[ -n "${GATEKEEPER_STORE:-}" ] || refuse 'GATEKEEPER_STORE is not set' 2
[ -n "${GATEKEEPER_TRUST:-}" ] || refuse 'GATEKEEPER_TRUST is not set' 2
role="${GATEKEEPER_ROLE-qa}"

gatekeeper admit \
    --model="$GATEKEEPER_MODEL" --context="$GATEKEEPER_CONTEXT" \
    --store="$GATEKEEPER_STORE" --trust="$GATEKEEPER_TRUST" \
    ${role:+"--require-role=$role"} ${GATEKEEPER_MAX_AGE:+"--max-age=$GATEKEEPER_MAX_AGE"} \
    || refuse 'its model is not admitted' "$?"

exec "$@"
