# shellcheck shell=bash
# What is installed: the repository that the action came from, another checkout of it, or a published version.

# Set SOURCE to a folder, or to what pip calls a published version.
# shellcheck disable=SC2034  # for who sources this
find_source() {
  local version=$1 root
  plain version "$version"
  if [[ $version =~ ^[0-9]+(\.[0-9]+)*((a|b|rc)[0-9]+)?(\.post[0-9]+)?$ ]]; then
    SOURCE=gatekeeper-imaging==$version
    return
  fi
  root=${version:-$(dirname -- "${BASH_SOURCE[0]}")/../../..}
  grep -qs '^name = "gatekeeper-imaging"$' "$root/pyproject.toml" ||
    refuse 'The input "version" is neither a version such as 1.2.0 nor a folder with the source of gatekeeper.'
  SOURCE=$(cd -- "$root" && pwd)
}
