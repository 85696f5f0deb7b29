#!/usr/bin/env bash
# Links the self-test like a node's executable and runs it on this machine and as PID 1 of a virtual machine with our kernel.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

build/prerequisites.sh
build/sysroot.sh
build/kernel.sh
out=out/aot-selftest
rm -rf "$out" && mkdir -p "$out/root"/{sbin,dev,proc,run,sys,tmp}
cp -a os/rootfs/etc "$out/root/etc"
say "publishing"
dotnet publish tests/AotSelfTest -c Release -r linux-x64 -p:MuslStatic=true -m:1 -v q --nologo -o "$out/publish" >"$out/publish.log" 2>&1 || {
  tail -n 20 "$out/publish.log" >&2
  fail "the self-test does not link"
}
cp "$out/publish/aot-self-test" "$out/root/sbin/init"

say "on this machine"
"$out/publish/aot-self-test" | tee "$out/host.log" | grep -vE '^ok '

say "as PID 1"
mksquashfs "$out/root" "$out/root.img" -quiet -no-progress -all-root -noappend >/dev/null
# clearcpuid=cx16: QEMU 7.2 at times double-faults in the emulation of cmpxchg16b
timeout 600 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 1024 -nographic -no-reboot -nodefaults -serial stdio \
  -kernel out/kernel/vmlinuz -append "console=ttyS0 root=/dev/vda rootfstype=squashfs ro quiet panic=-1 clearcpuid=cx16 init=/sbin/init" \
  -drive file="$out/root.img",format=raw,if=virtio,readonly=on </dev/null >"$out/vm.log" 2>&1 ||
  fail "the virtual machine did not end by itself; see $out/vm.log"
tr -d '\r' <"$out/vm.log" | grep -vE '^ok ' | tail -n 30
grep -q 'self-test: [0-9]* passed, 0 failed' "$out/host.log" || fail "the self-test fails on this machine"
grep -q 'self-test: [0-9]* passed, 0 failed' "$out/vm.log" || fail "the self-test fails as PID 1; see $out/vm.log"
