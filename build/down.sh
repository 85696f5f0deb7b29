#!/usr/bin/env bash
# Stops the cluster that `make up` started, and removes it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x out/bin/osctl ] || build/osctl.sh --quick
exec out/bin/osctl cluster destroy
