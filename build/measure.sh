#!/usr/bin/env bash
# Boots the image and prints what docs/design/node.md quotes: sizes, time to the first answer, resident memory, osctl's own time.
set -euo pipefail
cd "$(dirname "$0")/.."

build/image.sh
build/osctl.sh
folder=$(mktemp -d)
export TALOSCONFIG=$folder/config
osctl=out/bin/osctl
trap '$osctl cluster destroy --name bench --state "$folder/cluster" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

now() { date +%s%N; }
since() { printf '%d.%03d s' $((($(now) - $1) / 1000000000)) $((($(now) - $1) / 1000000 % 1000)); }

# Seconds that the machine whose start a log of `cluster create` tells has been on: what came before, the search for a working KVM, is no boot.
powered() { awk -v now="$(cut -d ' ' -f 1 /proc/uptime)" '{ printf "%.1f s", now - $22 / 100 }' "/proc/$(grep -oP 'cp-1 starts, as process \K[0-9]+' "$1")/stat"; }

kernel=$(stat -c %s out/image/vmlinuz) root=$(stat -c %s out/image/rootfs.img)
printf 'kernel %d + image %d = %d bytes\n' "$kernel" "$root" "$((kernel + root))"

$osctl cluster create --name bench --state "$folder/cluster" --listen-base 52000 >"$folder/create.log"
printf 'first boot, from power on (keys and CA made, administrator enrolled) to the first answer: %s\n' "$(powered "$folder/create.log")"

$osctl stats
$osctl shutdown
while $osctl version --timeout 1s >/dev/null 2>&1; do sleep 0.1; done
until ! pgrep -f "name=opt/talos/config,file=$folder/cluster" >/dev/null; do sleep 0.1; done
$osctl cluster create --name bench --state "$folder/cluster" --listen-base 52000 >"$folder/create.log"
printf 'boot with its state, from power on to the first answer: %s\n' "$(powered "$folder/create.log")"

$osctl stats
# The node's first reading of itself, which begins after its first answers, is not what osctl takes.
sleep 10
$osctl version >/dev/null
began=$(now)
for _ in 1 2 3 4 5 6 7 8 9 10; do $osctl version >/dev/null; done
printf 'osctl version, 10 times: %s\n' "$(since "$began")"
began=$(now)
for _ in 1 2 3 4 5 6 7 8 9 10; do $osctl version --client >/dev/null; done
printf 'osctl version --client (no call), 10 times: %s\n' "$(since "$began")"
