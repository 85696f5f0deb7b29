#!/usr/bin/env bash
# Shows the consoles of the nodes that `make up` started.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x out/bin/osctl ] || build/osctl.sh --quick
exec out/bin/osctl cluster logs "$@"
