#!/usr/bin/env bash
# Assembles what the node's executables are linked against: musl, OpenSSL, SQLite, the allocator, the glibc shim and a compiler wrapper.
# out/sysroot points to it (~/.cache/talos/sysroot/<hash>); os/aot/MuslStatic.targets uses it.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

command -v clang ld.lld >/dev/null || fail "clang or lld is not installed" "run build/prerequisites.sh"
openssl=$(build/openssl.sh)
sqlite=$(build/sqlite.sh)
read -r _ version file sha256 < <(grep '^libclang-rt-19-dev ' os/aot/sources.txt)
hash=$({
  printf '%s\n' "$(basename "$openssl")" "$(basename "$sqlite")" "$sha256"
  cat os/aot/glibc-shim.c os/aot/musl-clang.sh
  dpkg-query -W -f '${Version}\n' musl-dev clang linux-libc-dev
} | sha256sum | cut -c 1-16)
result="$talos_cache/sysroot/$hash"
if ! [ -d "$result" ]; then
  lock sysroot
  if ! [ -d "$result" ]; then
    staging="$result.$$"
    mkdir -p "$staging/usr/include" "$staging/usr/lib" "$staging/bin"
    cp -a /usr/include/x86_64-linux-musl/. "$staging/usr/include/"
    kernel_headers "$staging/usr/include"
    cp -a "$openssl/include/openssl" "$staging/usr/include/"
    cp /usr/lib/x86_64-linux-musl/*.o /usr/lib/x86_64-linux-musl/*.a "$openssl"/lib/*.a "$sqlite"/lib/*.a "$staging/usr/lib/"
    archive=$(debian_fetch deb libclang-rt-19-dev "$version" "$file" "$sha256")
    dpkg-deb --fsys-tarfile "$archive" | tar -xO ./usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.scudo_standalone-x86_64.a >"$staging/usr/lib/libscudo.a"
    install -m 755 os/aot/musl-clang.sh "$staging/bin/x86_64-linux-musl-clang"
    "$staging/bin/x86_64-linux-musl-clang" -O2 -fPIC -ffunction-sections -Wall -Wextra -Werror \
      -c os/aot/glibc-shim.c -o "$staging/usr/lib/glibc-shim.o"
    mv "$staging" "$result"
  fi
fi
mkdir -p out
ln -sfn "$result" out/sysroot
