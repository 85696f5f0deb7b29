#!/usr/bin/env bash
# Links the node's executables into out/node: static, position independent, stripped.
#   build/node.sh [NAME…]   only those (init talosd)
# Cached under ~/.cache/talos/node/<name>-<hash>; the hash covers the project, what it refers to, the recipe and the SDK.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

declare -A projects=(
  [init]=os/init/Talos.Init.csproj
  [talosd]=os/services/Talos.Services.csproj
)
wanted=("$@")
[ "${#wanted[@]}" -gt 0 ] || wanted=(init talosd)

# references PROJECT: the project and all that it refers to, one a line.
references() {
  local reference folder
  folder=$(dirname "$1")
  realpath --relative-to . "$1"
  grep -oP '<ProjectReference Include="\K[^"]+' "$1" | while read -r reference; do references "$folder/${reference//\\//}"; done
}

fingerprint() {
  {
    references "$1" | sort -u | while read -r project; do
      find "$(dirname "$project")" -type f -print0 | sort -z | xargs -0 sha256sum
    done
    sha256sum Directory.Build.props Directory.Build.targets Directory.Packages.props global.json os/aot/MuslStatic.targets
    readlink out/sysroot
    dotnet --version
  } | sha256sum | cut -c 1-16
}

build/sysroot.sh
mkdir -p out/node "$talos_cache/node"
for name in "${wanted[@]}"; do
  project=${projects[$name]:-}
  [ -n "$project" ] || fail "there is no node executable \`$name\`" "they are: ${!projects[*]}"
  result="$talos_cache/node/$name-$(fingerprint "$project")"
  if ! [ -f "$result/$name" ]; then
    started=$SECONDS
    say "linking $name (about a minute)"
    staging="$result.$$"
    log="$talos_cache/node/$name.log"
    dotnet publish "$project" -c Release -r linux-x64 -p:MuslStatic=true -m:1 -v q --nologo -o "$staging" >"$log" 2>&1 || {
      grep -E 'error|undefined' "$log" | sort -u | head -n 20 >&2
      rm -rf "$staging"
      fail "$name does not build; see $log"
    }
    # only the executable and its symbols; no settings or symbols of libraries
    find "$staging" -mindepth 1 ! -name "$name" ! -name "$name.dbg" -delete
    rm -rf "$result" && mv "$staging" "$result"
    say "$name: $(stat -c %s "$result/$name") bytes, $((SECONDS - started)) s"
  fi
  cmp -s "$result/$name" "out/node/$name" || cp -f "$result/$name" "out/node/$name"
done
