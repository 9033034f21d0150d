# shellcheck shell=bash
# The keys that a step signs with, in a home of its own below RUNNER_TEMP, which the runner empties after the job.
# Reads INPUT_TRUST (the root certificate of your organisation) and INPUT_HOME.

# The home of ledger and keys: the one that was given, else one that ends with the job.
use_home() {
  plain home "${INPUT_HOME:-}"
  export GATEKEEPER_HOME=${INPUT_HOME:-${GATEKEEPER_HOME:-$RUNNER_TEMP/gatekeeper-home}}
  mkdir -p -- "$GATEKEEPER_HOME" 2>/dev/null ||
    refuse "Keys and ledger cannot be kept: $GATEKEEPER_HOME cannot be made. Set the input \"home\" to a folder that can."
}

trusted_root() {
  plain trust "${INPUT_TRUST:-}"
  [ -n "${INPUT_TRUST:-}" ] || refuse "$1 needs the input \"trust\": the root certificate of your organisation (PEM)."
  [ -f "$INPUT_TRUST" ] || refuse "The root certificate is not there: $INPUT_TRUST. Check the input \"trust\"."
}

# A development key that nobody keeps. With a root to trust, test sets and approvals that it signed are taken.
development_keys() {
  [ -n "${INPUT_TRUST:-}" ] || return 0
  trusted_root 'This'
  fenced gatekeeper keys init "--trust=$INPUT_TRUST" || exit
}

# The key of a role, PKCS#12 in base64 as a secret holds it, written where only this user reads it.
key_of() {
  local role=$1 secret=$2
  trusted_root 'A key'
  [ -n "$secret" ] || refuse "There is no key of the $role: the secret is empty. Runs for pull requests from forks get no secrets, by design; sign where the code has been reviewed."
  (
    umask 077
    mkdir -p -- "$GATEKEEPER_HOME/keys"
    cp -- "$INPUT_TRUST" "$GATEKEEPER_HOME/keys/root.pem"
    base64 --decode >"$GATEKEEPER_HOME/keys/$role.p12" 2>/dev/null <<<"$secret"
  ) || refuse "The key of the $role cannot be read: the secret must hold a PKCS#12 file in base64 (base64 -w0 $role.p12)."
}
