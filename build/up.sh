#!/usr/bin/env bash
# Builds what is missing and starts a cluster.
#   build/up.sh [qemu|process] [NODES]
set -euo pipefail
cd "$(dirname "$0")/.."

provisioner=${1:-qemu} nodes=${2:-1}
case $provisioner in
  qemu)
    build/image.sh
    build/osctl.sh
    ;;
  process)
    build/processes.sh
    build/osctl.sh --quick
    ;;
  *)
    echo "error: \`$provisioner\` is no provisioner" >&2
    echo "hint: PROVISIONER=qemu or PROVISIONER=process" >&2
    exit 1
    ;;
esac
out/bin/osctl cluster create --provisioner "$provisioner" --nodes "$nodes"
case ":$PATH:" in
  *":$PWD/out/bin:"*) ;;
  *) printf '\nosctl is in out/bin; to find it by name:\n  export PATH="%s/out/bin:$PATH"\n' "$PWD" ;;
esac
