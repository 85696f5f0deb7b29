#!/usr/bin/env bash
# Builds the services for this machine, just in time, and links them into out/bin by their names: what `osctl cluster create --provisioner process` starts.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p out/bin
dotnet build os/services/Talos.Services.csproj -c Release -m:1 -v q --nologo >&2
for name in machined osd trustd; do ln -sfn "$PWD/artifacts/bin/Talos.Services/release/talosd" "out/bin/$name"; done
