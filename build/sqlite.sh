#!/usr/bin/env bash
# Builds the static SQLite that trustd links, and prints where it is (lib/libe_sqlite3.a).
# Cached under ~/.cache/talos/sqlite/<hash>.
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

# COLUMN_METADATA and SNAPSHOT: SQLitePCLRaw calls these functions. No full text search, r-trees or extensions.
# DQS=0: a misspelt column name in double quotes is an error, not a string.
flags=(
  -O2 -fPIC -ffunction-sections -fdata-sections -fstack-protector-strong -fno-asynchronous-unwind-tables -DNDEBUG -DHAVE_USLEEP=1
  -DSQLITE_THREADSAFE=1 -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_SNAPSHOT -DSQLITE_DEFAULT_FOREIGN_KEYS=1
  -DHAVE_FDATASYNC=1 -DSQLITE_DQS=0 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_LIKE_DOESNT_MATCH_BLOBS -DSQLITE_USE_ALLOCA
)

command -v musl-gcc >/dev/null || fail "musl-gcc is not installed" "run build/prerequisites.sh"
hash=$({
  grep '^sqlite3 ' os/aot/sources.txt | tr -s ' '
  printf '%s\n' "${flags[@]}"
  dpkg-query -W -f '${Version}\n' musl-dev gcc-12
} | sha256sum | cut -c 1-16)
result="$talos_cache/sqlite/$hash"
if ! [ -f "$result/lib/libe_sqlite3.a" ]; then
  lock sqlite
  if ! [ -f "$result/lib/libe_sqlite3.a" ]; then
    work="$talos_cache/sqlite/work"
    log="$talos_cache/sqlite/build.log"
    mkdir -p "$talos_cache/sqlite"
    pinned_source sqlite3 "$work"
    say "building SQLite ($(grep -m 1 '^sqlite3 ' os/aot/sources.txt | awk '{print $2}')) into $result"
    (
      cd "$work"
      # only to generate the one-file form, with the host's compiler; nothing of it is kept
      ./configure --disable-tcl --disable-readline
      make sqlite3.c
      musl-gcc "${flags[@]}" -c sqlite3.c -o sqlite3.o
      # the name under which SQLitePCLRaw imports it
      mkdir -p lib && ar rcsD lib/libe_sqlite3.a sqlite3.o
    ) >"$log" 2>&1 || {
      tail -n 20 "$log" >&2
      fail "SQLite did not build; see $log"
    }
    rm -rf "$result" && mkdir -p "$result" && mv "$work/lib" "$result/lib"
    rm -rf "$work"
    say "SQLite: $(elapsed)"
  fi
fi
printf '%s\n' "$result"
