#!/usr/bin/env bash
# Boots our kernel, with our command line and sysctls, over a throw-away root with Debian's containerd and runc, and has them run a container
# under cgroup limits, a device filter and a seccomp filter. Says what the container printed; ends with 0 only if it could do what it should
# and could not do what it should not. Nothing of this gets into an image.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

out=out/containerd-proof
packages=(containerd runc libseccomp2 libc6 busybox-static)

build/prerequisites.sh
build/kernel.sh
rm -rf "$out" && mkdir -p "$out/debs" "$out/root"
say "fetching Debian's ${packages[*]}"
(cd "$out/debs" && apt-get -q -o APT::Sandbox::User=root download "${packages[@]}") >"$out/download.log" 2>&1 ||
  fail "the packages could not be downloaded; see $out/download.log" "is this machine online?"
for package in "$out"/debs/*.deb; do dpkg-deb -x "$package" "$out/root"; done

root=$out/root
rm -rf "$root/usr/share/doc" "$root/usr/share/man" "$root/usr/share/locale"
mkdir -p "$root"/{dev,proc,sys,run,tmp,var,root,sbin,etc/containerd,proof}
for tool in sh mount mkdir echo cat ls sleep ip sed grep poweroff id hostname head mknod dmesg; do ln -sf busybox "$root/bin/$tool"; done
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n' >"$root/etc/group"
cp os/rootfs/etc/talos/sysctl.conf "$root/etc/"
printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "/run/cni/bin"\n  conf_dir = "/run/cni/net.d"\n' >"$root/etc/containerd/config.toml"

# The container: busybox and a script, as an image in the form of `docker save`.
image=$out/image
mkdir -p "$image/layer/bin" "$image/layer/dev" "$image/layer/proc" "$image/layer/sys" "$image/layer/etc"
cp "$root/bin/busybox" "$image/layer/bin/"
for tool in sh echo cat id hostname mknod head tail sed grep ls mount unshare; do ln -s busybox "$image/layer/bin/$tool"; done
cat >"$image/layer/bin/proof" <<'SCRIPT'
#!/bin/sh
echo "container: process $$, $(id)"
grep -E '^(Seccomp|NoNewPrivs|CapEff)' /proc/self/status
grep ' / ' /proc/mounts
echo written >/etc/proof && echo "container: its root is its own: $(cat /etc/proof)"
echo "container: sees $(ls -d /proc/[0-9]* | grep -c .) processes"
mknod /dev/disk b $(cat /sys/block/vda/dev | sed 's/:/ /') || echo "container: WRONG, cannot try the device filter"
if said=$(head -c 1 /dev/disk 2>&1 >/dev/null); then echo "container: WRONG, reads the machine's disk"; else echo "container: may not read the machine's disk ($said)"; fi
if head -c 200000000 /dev/zero | tail -c 150000000 >/dev/null 2>&1; then echo "container: WRONG, takes more memory than it was given"; else echo "container: cannot take more memory than it was given"; fi
if mount -t tmpfs tmpfs /etc 2>/dev/null; then echo "container: WRONG, may mount"; else echo "container: may not mount"; fi
if unshare -m true 2>/dev/null; then echo "container: WRONG, may make namespaces"; else echo "container: may not make namespaces"; fi
echo "container: done"
exit 7
SCRIPT
chmod 755 "$image/layer/bin/proof"
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$image/layer" -cf "$image/layer.tar" .
printf '{"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/proof"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
  "$(sha256sum "$image/layer.tar" | cut -d' ' -f1)" >"$image/config.json"
printf '[{"Config":"config.json","RepoTags":["proof:1"],"Layers":["layer.tar"]}]' >"$image/manifest.json"
tar -C "$image" -cf "$root/proof/image.tar" manifest.json config.json layer.tar

cat >"$root/sbin/init" <<'SCRIPT'
#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup
for place in /run /tmp /var /root; do mount -t tmpfs tmpfs "$place"; done
mkdir -p /dev/pts /dev/shm /dev/mqueue /var/lib /var/log
mount -t devpts devpts /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t mqueue mqueue /dev/mqueue
ip link set lo up
sed -n 's/^\([a-z][^=]*\)=\(.*\)$/\1 \2/p' /etc/sysctl.conf | while read -r name value; do echo "$value" >"/proc/sys/$(echo "$name" | sed 's#\.#/#g')"; done
for controller in cpu cpuset io memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
containerd >/run/containerd.log 2>&1 &
waited=0
until ctr version >/dev/null 2>&1 || [ "$waited" -ge 120 ]; do sleep 1; waited=$((waited + 1)); done
echo "proof: $(ctr --version), $(runc --version | head -n 1)"
ctr plugins ls | grep -E 'cri|overlayfs|snapshotter' | sed 's/^/proof: plugin /'
ctr image import /proof/image.tar 2>&1 | sed 's/^/proof: /'
ctr run --rm --seccomp --memory-limit 67108864 --cap-drop CAP_SYS_ADMIN docker.io/library/proof:1 one
echo "proof: ended with code $?"
grep -E 'level=(error|fatal)' /run/containerd.log | head -n 20
dmesg | grep -iE 'lockdown|denied' | head -n 5
poweroff -f
SCRIPT
chmod 755 "$root/sbin/init"
mksquashfs "$root" "$out/root.img" -comp zstd -all-root -noappend -quiet -no-progress

accelerator=tcg
command_line="$(grep -vE '^(#|$)' os/kernel/cmdline.txt | xargs) root=/dev/vda ro rootfstype=squashfs clearcpuid=cx16"
say "booting"
console=$out/console.log
timeout 600 qemu-system-x86_64 -nodefaults -no-user-config -display none -machine q35 -accel "$accelerator" -cpu max -smp 2 -m 1024 \
  -kernel out/kernel/vmlinuz -append "$command_line" -drive "file=$out/root.img,format=raw,if=none,id=root,readonly=on" \
  -device virtio-blk-pci,drive=root -device virtio-rng-pci -no-reboot -chardev "file,id=console,path=$console" -serial chardev:console ||
  fail "the machine did not end by itself; see $console"
grep -aE '^(container|proof|Seccomp|NoNewPrivs|CapEff|overlay)' "$console" || true
grep -qaE '^container: done' "$console" || fail "the container did not come to its end; see $console"
grep -qaE 'WRONG' "$console" && fail "the container could do what it should not; see $console"
grep -qaE '^proof: ended with code 7' "$console" || fail "the container's exit code got lost; see $console"
grep -qaE '^Seccomp:[[:space:]]+2' "$console" || fail "the container ran without a seccomp filter; see $console"
say "our kernel runs containers"
