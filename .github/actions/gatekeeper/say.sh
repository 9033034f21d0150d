# shellcheck shell=bash
# What every script here says to the runner, and how it refuses. Nothing that is printed can become a command of the
# runner's: values are escaped, and what a program prints is fenced off (see `fenced`).

# shellcheck disable=SC2034  # for who sources this
readonly USAGE=2 INVALID=5

# One line of text, as the message of a workflow command wants it.
escaped() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

annotate() { printf '::%s title=gatekeeper::%s\n' "$1" "$(escaped "$2")"; }

refuse() {
  annotate error "$1"
  exit "${2:-$USAGE}"
}

# A value that reaches a command line: one line, and no option.
plain() {
  local name=$1 value=$2
  case $value in
    -*) refuse "The input \"$name\" begins with a dash: a path or a name is wanted there. Write ./ before a path." ;;
    *[[:cntrl:]]*) refuse "The input \"$name\" has a line break or another control character in it." ;;
  esac
}

one_of() {
  local name=$1 value=$2 word
  shift 2
  for word in "$@"; do [ "$value" != "$word" ] || return 0; done
  refuse "The input \"$name\" must be one of: $*."
}

# Only a line of the form name=value can be written so, which `plain` sees to.
output() {
  plain "$1" "$2"
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# The value of an output that this step has written, in either of the two forms that a runner reads.
output_so_far() {
  awk -v name="$1" '
    index($0, name "=") == 1 { value = substr($0, length(name) + 2) }
    index($0, name "<<") == 1 { getline value }
    END { print value }
  ' "$GITHUB_OUTPUT"
}

on_a_runner() {
  local name
  for name in GITHUB_OUTPUT GITHUB_WORKSPACE RUNNER_TEMP; do
    [ -n "${!name:-}" ] || refuse "$name is not set: this runs on a runner of GitHub Actions, or one that is like it."
  done
}

# Run a command whose output the runner must not take for commands. The word that ends the fence is drawn anew each
# time, and told to the command, so that the report "github" can reach the runner all the same; both streams are one,
# so that nothing else can slip through while it does.
fenced() {
  local word code=0
  word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  [ "${#word}" = 32 ] || return "$INVALID"
  printf '::stop-commands::%s\n' "$word"
  GATEKEEPER_FENCE=$word "$@" 2>&1 || code=$?
  printf '\n::%s::\n' "$word"
  return "$code"
}
