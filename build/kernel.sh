#!/usr/bin/env bash
# Builds the kernel: os/kernel/{VERSION,fragments,patches} -> out/kernel/{vmlinuz,config}
#
#   build/kernel.sh            build, or take the result from the cache
#   build/kernel.sh --config   only make the configuration and say what did not stick
#
# Cached under ~/.cache/talos/kernel/<hash>; the hash covers everything that decides the result, comments excluded.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

# Part of the hash: raise it when this script changes in a way that changes the kernel.
recipe=1
compiler=gcc-12
# What a build of these fragments compiles, for the progress line only.
objects_expected=2400

read -r package version sha256 <os/kernel/VERSION

# Comments may change without a rebuild; `# CONFIG_X is not set` is not a comment.
settings() { sed -E '/^# CONFIG_[A-Z0-9_]+ is not set$/b; /^[[:space:]]*(#|$)/d' os/kernel/fragments/*.config; }

command -v "$compiler" >/dev/null || fail "$compiler is not installed" "run build/prerequisites.sh"
hash=$({
  printf '%s\n' "$recipe" "$package $version $sha256" "$("$compiler" --version | head -n 1)" "$(ld --version | head -n 1)"
  settings
  # without the prose in front of the first file
  for patch in os/kernel/patches/*.patch; do sed -n '/^--- /,$p' "$patch"; done
} | sha256sum | cut -c 1-16)
result="$talos_cache/kernel/$hash"
publish() {
  mkdir -p out/kernel
  # a copy, not a link: whoever cleans the cache must not break an image build that is under way
  cp -f "$result/vmlinuz" "$result/config" out/kernel/
  printf '%s\n' "$hash" >out/kernel/hash
}

unpack() {
  local archive source="$1"
  archive=$(debian_fetch deb "$package" "$version" "${package}_${version}_all.deb" "$sha256")
  rm -rf "$source" && mkdir -p "$source"
  dpkg-deb --fsys-tarfile "$archive" | tar -xO "./usr/src/$package.tar.xz" | tar -xJ -C "$source" --strip-components 1
  for patch in os/kernel/patches/*.patch; do
    patch -d "$source" -p1 --silent --no-backup-if-mismatch <"$patch" || fail "\`$patch\` does not apply to $package $version"
  done
  touch "$source/.unpacked"
}

# Everything that the fragments ask for and the kernel did not accept, less what unavailable.txt explains.
refused() {
  awk '
    FNR == 1 { file++ }
    file == 1 { if ($1 ~ /^CONFIG_/) explained[$1] = 1; next }
    { name = ""; value = "" }
    match($0, /^CONFIG_[A-Z0-9_]+=/) { name = substr($0, 1, RLENGTH - 1); value = substr($0, RLENGTH + 1) }
    /^# CONFIG_[A-Z0-9_]+ is not set$/ { name = $2; value = "n" }
    name == "" { next }
    file == 2 { got[name] = value; next }
    { want[name] = value }
    END {
      for (name in want) {
        actual = (name in got) ? got[name] : "n"
        if (actual != want[name] && !(name in explained)) printf "  %s: wanted %s, is %s\n", name, want[name], actual
        if (actual == want[name] && (name in explained)) printf "  %s: listed as unavailable, but it is there\n", name
      }
    }' os/kernel/unavailable.txt "$1" <(settings) | sort
}

# Runs make, one line of progress every 15 s (or in place on a terminal).
compile() {
  local log="$1" pid count
  "${make[@]}" -j"$(nproc)" bzImage >"$log" 2>&1 &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || true' EXIT
  while kill -0 "$pid" 2>/dev/null; do
    for _ in $(seq 15); do kill -0 "$pid" 2>/dev/null && sleep 1; done
    count=$(grep -cE '^  (CC|AS|HOSTCC|HOSTCXX) ' "$log" || true)
    if [ -t 2 ]; then printf '\rkernel.sh: %s of about %s objects, %s ' "$count" "$objects_expected" "$(elapsed)" >&2
    else say "$count of about $objects_expected objects, $(elapsed)"; fi
  done
  trap - EXIT
  [ ! -t 2 ] || echo >&2
  wait "$pid" || {
    grep -nE 'error|Error|warning:' "$log" | tail -n 20 >&2
    fail "the kernel did not build; see $log"
  }
}

[ "${1:-}" = --config ] || ! [ -f "$result/vmlinuz" ] || { publish; exit 0; }
lock kernel
[ "${1:-}" = --config ] || ! [ -f "$result/vmlinuz" ] || { publish; exit 0; }

# A fixed place: absolute paths reach the command line of the compiler, and with them ccache's keys.
work="$talos_cache/kernel/work"
source="$work/$package-$version-$(cat os/kernel/patches/*.patch | sha256sum | cut -c 1-8)"
object="$source/talos"
if ! [ -f "$source/.unpacked" ]; then
  say "unpacking $package $version"
  unpack "$source"
fi
rm -rf "$object" && mkdir -p "$object"

# Reproducible: no time, user, host or random seed of this machine gets into the image. The time is the release's.
export KBUILD_BUILD_USER=talos KBUILD_BUILD_HOST=talos KBUILD_BUILD_VERSION=1
KBUILD_BUILD_TIMESTAMP=$(LC_ALL=C TZ=UTC date -r "$source/Makefile" '+%a %b %e %H:%M:%S UTC %Y')
export KBUILD_BUILD_TIMESTAMP
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(stat -c %Y "$source/Makefile")
cc="$compiler"
if command -v ccache >/dev/null; then
  cc="ccache $compiler"
  export CCACHE_DIR="$talos_cache/ccache" CCACHE_COMPILERCHECK=content CCACHE_MAXSIZE=2G
fi
# -frandom-seed: the latent entropy plugin otherwise reads /dev/urandom while it compiles
make=(make -C "$source" O="$object" CC="$cc" HOSTCC="$cc" KCFLAGS="-frandom-seed=$hash")

settings >"$object/wanted"
"${make[@]}" -s KCONFIG_ALLCONFIG="$object/wanted" allnoconfig >"$object/configure.log" 2>&1 || {
  cat "$object/configure.log" >&2
  fail "the kernel configuration could not be made"
}
unexplained=$(refused "$object/.config")
[ -z "$unexplained" ] || fail "options that did not stick:
$unexplained" "fix the fragment, or give the reason in os/kernel/unavailable.txt"
if [ "${1:-}" = --config ]; then
  mkdir -p out/kernel
  cp "$object/.config" out/kernel/config
  say "out/kernel/config"
  exit 0
fi

# RANDSTRUCT: the seed follows from what is built, so that everyone who builds it gets the same kernel. It is therefore
# no secret; it still differs from every other kernel and from every other release of ours.
"${make[@]}" -s scripts_basic >>"$object/configure.log" 2>&1
seed=$(printf 'randstruct %s' "$hash" | sha256sum | cut -d ' ' -f 1)
printf '%s\n' "$seed" >"$object/scripts/basic/randstruct.seed"
printf '#define RANDSTRUCT_HASHED_SEED "%s"\n' "$(printf %s "$seed" | sha256sum | cut -d ' ' -f 1)" \
  >"$object/include/generated/randstruct_hash.h"

say "building $package $version with $compiler into $result (about 15 minutes of two cores the first time)"
compile "$object/build.log"

staging="$result.$$"
mkdir -p "$staging"
cp "$object/arch/x86/boot/bzImage" "$staging/vmlinuz"
cp "$object/.config" "$staging/config"
# no kallsyms in the kernel: this is what names the addresses of a crash
cp "$object/System.map" "$staging/"
cp "$object/build.log" "$staging/"
rm -rf "$result" && mv "$staging" "$result"
rm -rf "$object"
publish
say "out/kernel/vmlinuz: $(stat -c %s out/kernel/vmlinuz) bytes, sha256 $(sha256sum <out/kernel/vmlinuz | cut -c 1-16), $(elapsed)"
