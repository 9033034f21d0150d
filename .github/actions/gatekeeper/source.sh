# shellcheck shell=bash
# What is installed: the repository that the action came from, another checkout of it, or a published version.

source_of() {
  local version=$1 here root
  here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
  plain version "$version"
  if [[ $version =~ ^[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?$ ]]; then
    printf 'gatekeeper-imaging==%s' "$version"
    return
  fi
  root=${version:-$here/../../..}
  grep -qs '^name = "gatekeeper-imaging"$' "$root/pyproject.toml" ||
    refuse "The input \"version\" is neither a version such as 1.2.0 nor a folder with the source of gatekeeper." >&2
  (cd -- "$root" && pwd)
}
