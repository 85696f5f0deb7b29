#!/usr/bin/env bash
# Builds out/image: kernel, node executables, root file system, and holds the result to the checks. What is unchanged is not built again.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

build/prerequisites.sh
build/kernel.sh
build/node.sh

dotnet build os/image/Talos.Image.csproj -c Release -m:1 -v q --nologo -clp:"ErrorsOnly;NoSummary" >&2
version=$(grep -oP '<Version>\K[^<]+' Directory.Build.props)
inputs=$({
  printf '%s\n' "$version"
  find os/rootfs -type l -printf '%p %l\n' | sort
  find os/rootfs policy/bundle os/kernel/cmdline.txt os/waivers.yaml os/waiver-signers.pem out/kernel out/node artifacts/bin/Talos.Image/release \
    -type f -print0 | sort -z | xargs -0 sha256sum
} | sha256sum | cut -c 1-16)
if [ "$(cat out/image/inputs 2>/dev/null)" = "$inputs" ] && artifacts/bin/Talos.Image/release/Talos.Image verify out/image >/dev/null 2>&1; then
  say "out/image is up to date"
  exit 0
fi
rm -f out/image/inputs
# Everything in an image belongs to root, also in the tree that is checked and packed: who is not root is it in a namespace.
as_root=()
[ "$(id -u)" = 0 ] || as_root=(unshare --user --map-root-user)
"${as_root[@]}" artifacts/bin/Talos.Image/release/Talos.Image build --image-version "$version"
printf '%s\n' "$inputs" >out/image/inputs
