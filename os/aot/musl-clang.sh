#!/bin/sh
# The compiler and linker of the node's executables: .NET takes a program name here, not arguments.
sysroot=$(cd "$(dirname "$0")/.." && pwd -P)
exec clang --target=x86_64-linux-musl --sysroot="$sysroot" --gcc-toolchain=/usr -fuse-ld=lld -static-pie \
    -Wno-unused-command-line-argument "$@"
