#!/usr/bin/env bash
# Installs the Debian packages of build/packages.txt that are missing. Says nothing when all are there.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

missing() {
  local package
  sed -E '/^#/d; s/[[:space:]].*//; /^$/d' build/packages.txt | while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || echo "$package"
  done
}

command -v dpkg-query >/dev/null || fail "this is not a Debian machine" "install the packages of build/packages.txt by other means"
mapfile -t packages < <(missing)
[ "${#packages[@]}" -gt 0 ] || exit 0
lock prerequisites
mapfile -t packages < <(missing)
[ "${#packages[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || fail "missing packages: ${packages[*]}" "run this as root, or install sudo"
  as_root=(sudo)
fi
log="$talos_cache/prerequisites.log"
say "installing from Debian, once: ${packages[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
{ "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends "${packages[@]}"; } >"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  fail "the packages could not be installed; see $log" "is this machine online, and is its /etc/apt/sources.list in order?"
}
say "done, $(elapsed)"
