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
  if [ "$verb" = node ]; then build/measure.sh; else artifacts/bin/Talos.Benchmarks/release/Talos.Benchmarks "$verb"; fi
done
