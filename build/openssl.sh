#!/usr/bin/env bash
# Builds the static OpenSSL that the node's executables link, and prints where it is (include/, lib/*.a).
# Cached under ~/.cache/talos/openssl/<hash>.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

# no-*: what .NET's crypto shim does not call and a TLS 1.3 node does not need. DES, RC2, DSA, MD5, OCSP and PKCS12 stay:
# the shim refers to them, and it is linked whole. no-autoload-config, no-engine, no-module: nothing at run time may
# change what the library does.
options=(
  no-shared no-module no-dso no-tests no-docs no-apps no-async no-engine no-afalgeng no-ktls no-comp no-legacy no-quic
  no-dtls no-ssl3 no-tls1 no-tls1_1 no-ui-console no-aria no-bf no-camellia no-cast no-idea no-md4 no-mdc2 no-ocb no-rc4
  no-rc5 no-rmd160 no-seed no-siphash no-sm2 no-sm3 no-sm4 no-whirlpool no-srp no-gost no-cms no-ts no-ct no-rfc3779
  no-nextprotoneg no-srtp no-scrypt no-argon2 no-blake2 no-siv no-ec2m no-slh-dsa no-autoload-config
)
# no unwind tables: .NET does not unwind through C, and they are a tenth of what C code weighs.
# strerror_r: the final link replaces it by glibc's variant (os/aot/glibc-shim.c), OpenSSL means the POSIX one.
flags=(-Os -ffunction-sections -fdata-sections -fPIC -fstack-protector-strong -fno-asynchronous-unwind-tables -Dstrerror_r=__xpg_strerror_r)

command -v musl-gcc >/dev/null || fail "musl-gcc is not installed" "run build/prerequisites.sh"
hash=$({
  grep '^openssl ' os/aot/sources.txt | tr -s ' '
  printf '%s\n' "${options[@]}" "${flags[@]}"
  dpkg-query -W -f '${Version}\n' musl-dev gcc-12
} | sha256sum | cut -c 1-16)
result="$talos_cache/openssl/$hash"
if ! [ -f "$result/lib/libssl.a" ]; then
  lock openssl
  if ! [ -f "$result/lib/libssl.a" ]; then
    work="$talos_cache/openssl/work"
    log="$talos_cache/openssl/build.log"
    mkdir -p "$talos_cache/openssl"
    pinned_source openssl "$work"
    kernel_headers "$work/kernel-headers"
    say "building OpenSSL ($(grep -m 1 '^openssl ' os/aot/sources.txt | awk '{print $2}')) into $result (about 3 minutes, once)"
    (
      cd "$work"
      CC="musl-gcc -idirafter $work/kernel-headers" ./Configure linux-x86_64 \
        --prefix="$result" --libdir=lib --openssldir=/etc/ssl "${options[@]}" "${flags[@]}"
      make -j"$(nproc)" build_libs
      make install_dev DESTDIR="$work/install"
    ) >"$log" 2>&1 || {
      tail -n 20 "$log" >&2
      fail "OpenSSL did not build; see $log"
    }
    rm -rf "$result" && mv "$work/install$result" "$result"
    rm -rf "$work"
    say "OpenSSL: $(elapsed)"
  fi
fi
printf '%s\n' "$result"
