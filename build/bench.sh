#!/usr/bin/env bash
# Prints the measured figures that docs/design quotes. Takes minutes; the machine should do nothing else meanwhile.
#   build/bench.sh [VERB…]   only these of: audit checks pki policy server trustd node
set -euo pipefail
cd "$(dirname "$0")/.."

verbs=("$@")
[ "${#verbs[@]}" -gt 0 ] || verbs=(policy pki audit checks server trustd node)
build/prerequisites.sh
dotnet build tests/Benchmarks/Talos.Benchmarks.csproj -c Release --nologo -v quiet
for verb in "${verbs[@]}"; do
  printf '\n== %s\n' "$verb"
  case $verb in
    node) build/measure.sh ;;
    # Compiled ahead of time and with the node's OpenSSL, whose price for a new key is a sixth of Debian 12's.
    pki | trustd)
      if ! [ "${ahead:-}" ]; then
        ahead=out/bench
        build/sysroot.sh >/dev/null
        dotnet publish tests/Benchmarks -c Release -r linux-x64 -p:MuslStatic=true -v q --nologo -o "$ahead"
      fi
      "$ahead/Talos.Benchmarks" "$verb"
      ;;
    *) artifacts/bin/Talos.Benchmarks/release/Talos.Benchmarks "$verb" ;;
  esac
done
