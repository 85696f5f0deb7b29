#!/usr/bin/env bash
# Builds machined, osd and trustd for this machine, just in time, and links them into out/bin: what `osctl cluster create --provisioner process` starts.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p out/bin
for entry in os/machined:Talos.Machined:machined api/osd:Talos.Osd:osd trustd:Talos.Trustd:trustd; do
  IFS=: read -r folder project name <<<"$entry"
  dotnet build "$folder/$project.csproj" -c Release -m:1 -v q --nologo >&2
  ln -sfn "$PWD/artifacts/bin/$project/release/$name" "out/bin/$name"
done
