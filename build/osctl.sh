#!/usr/bin/env bash
# Puts osctl into out/bin, compiled ahead of time; cached under ~/.cache/talos/osctl-<hash>.
#   build/osctl.sh --quick   the just-in-time build where there is no other yet: seconds instead of minutes
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

# references PROJECT: the project and all that it refers to, one a line.
references() {
  local reference folder
  folder=$(dirname "$1")
  realpath --relative-to . "$1"
  grep -oP '<ProjectReference Include="\K[^"]+' "$1" | while read -r reference; do references "$folder/$reference"; done
}

fingerprint=$({
  references osctl/Talos.Osctl.csproj | sort -u | while read -r project; do
    find "$(dirname "$project")" -type f -print0 | sort -z | xargs -0 sha256sum
  done
  sha256sum Directory.Build.props Directory.Build.targets Directory.Packages.props global.json
  dotnet --version
} | sha256sum | cut -c 1-16)
result="$talos_cache/osctl-$fingerprint"
mkdir -p out/bin "$talos_cache"

if [ ! -x "$result/osctl" ] && [ "${1:-}" = --quick ]; then
  dotnet build osctl/Talos.Osctl.csproj -c Release -m:1 -v q --nologo >&2
  ln -sfn "$PWD/artifacts/bin/Talos.Osctl/release/osctl" out/bin/osctl
  exit 0
fi
if [ ! -x "$result/osctl" ]; then
  started=$SECONDS
  say "compiling osctl ahead of time (about a minute)"
  log="$talos_cache/osctl.log"
  dotnet publish osctl/Talos.Osctl.csproj -c Release -r linux-x64 -m:1 -v q --nologo -o "$result.$$" >"$log" 2>&1 || {
    grep -E 'error' "$log" | sort -u | head -n 20 >&2
    rm -rf "$result.$$"
    fail "osctl does not build; see $log"
  }
  find "$result.$$" -mindepth 1 ! -name osctl -delete
  rm -rf "$result" && mv "$result.$$" "$result"
  say "osctl: $(stat -c %s "$result/osctl") bytes, $((SECONDS - started)) s"
fi
rm -f out/bin/osctl
cp "$result/osctl" out/bin/osctl
