# Sourced by the build scripts: fetch pinned packages from Debian suites newer than the one that is installed.
#
# apt runs with a state directory of its own, so that the machine's package lists and priorities stay untouched. The
# mirror is whatever this machine already uses: no address is written down here.
# shellcheck shell=bash

talos_cache="${TALOS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/talos}"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
  say "error: $1"
  [ $# -lt 2 ] || say "hint: $2"
  exit 1
}

# One build of a kind at a time; a second caller waits and then finds the result in the cache.
lock() {
  mkdir -p "$talos_cache/locks"
  exec {talos_lock}>"$talos_cache/locks/$1"
  if ! flock -n "$talos_lock"; then
    say "another build holds \`$1\`, waiting for it"
    flock "$talos_lock"
  fi
}

# Seconds as m:ss.
elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }

# configured_mirror PATTERN: the first configured repository whose address matches.
configured_mirror() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed 's#/*$##' | sort -u | grep -E "$1" | head -n 1
}

debian_sources() {
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg main security suite
  main=$(configured_mirror '/debian$') ||
    fail "no Debian mirror is configured for apt" "the build needs a Debian 12 machine; see /etc/apt/sources.list"
  security=$(configured_mirror '/debian-security$') || security="${main%/debian}/debian-security"
  for suite in trixie trixie-updates; do
    printf 'deb [signed-by=%s] %s %s main\ndeb-src [signed-by=%s] %s %s main\n' \
      "$keyring" "$main" "$suite" "$keyring" "$main" "$suite"
  done
  printf 'deb [signed-by=%s] %s trixie-security main\ndeb-src [signed-by=%s] %s trixie-security main\n' \
    "$keyring" "$security" "$keyring" "$security"
  # kernel-hardening-checker, the oracle of our own checks, is only here
  printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$main"
}

# debian_apt TOOL ARGUMENTS...: apt-get or apt-cache with the private state.
debian_apt() {
  local tool=$1 state="$talos_cache/apt"
  shift
  "$tool" -q \
    -o Dir::State="$state/state" -o Dir::State::status=/dev/null -o Dir::Cache="$state/cache" \
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- \
    -o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

# debian_refresh: bring the private package lists up to date.
debian_refresh() {
  local state="$talos_cache/apt"
  mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
  debian_sources >"$state/sources.list"
  say "reading the package lists of newer Debian suites"
  debian_apt apt-get update >"$state/update.log" 2>&1 ||
    fail "the package lists could not be read; see $state/update.log" "is this machine online?"
}

# debian_download PACKAGE VERSION FILE FOLDER APT-GET-ARGUMENTS...: puts FILE into FOLDER. Reads the package lists again only when needed.
debian_download() {
  local package=$1 version=$2 file=$3 store=$4 staging
  shift 4
  staging=$(mktemp -d "$store/.fetch.XXXXXX")
  say "downloading $package $version"
  if ! (cd "$staging" && debian_apt apt-get "$@") >"$staging/log" 2>&1; then
    debian_refresh
    (cd "$staging" && debian_apt apt-get "$@") >"$staging/log" 2>&1 || {
      tail -n 3 "$staging/log" >&2
      rm -rf "$staging"
      fail "Debian's archive no longer offers $package $version" \
        "it offers $(debian_apt apt-cache madison "$package" 2>/dev/null | awk '{print $3}' | sort -Vu | tail -n 1); update the pinned version and its sha256"
    }
  fi
  [ -f "$staging/$file" ] || fail "$package $version does not contain \`$file\`"
  mv "$staging/$file" "$store/$file"
  rm -rf "$staging"
}

# debian_fetch deb|source PACKAGE VERSION FILE SHA256: prints where the verified file is; downloads it once.
debian_fetch() {
  local kind=$1 package=$2 version=$3 file=$4 sha256=$5 store="$talos_cache/sources"
  local command=(download "$package=$version")
  [ "$kind" = deb ] || command=(source --download-only --only-source "$package=$version")
  mkdir -p "$store"
  if [ ! -f "$store/$file" ]; then
    mkdir -p "$talos_cache/locks"
    # one apt at a time in the private state
    (
      flock 9
      [ -f "$store/$file" ] || debian_download "$package" "$version" "$file" "$store" "${command[@]}"
    ) 9>"$talos_cache/locks/apt" || exit 1
  fi
  printf '%s  %s\n' "$sha256" "$store/$file" | sha256sum --check --status ||
    fail "$store/$file does not have the pinned sha256" "remove the file to download it again"
  printf '%s\n' "$store/$file"
}

# pinned_source NAME DIRECTORY: unpacks NAME of os/aot/sources.txt, Debian's patches applied.
pinned_source() {
  local name=$1 directory=$2 package version file sha256 archive patch
  rm -rf "$directory" && mkdir -p "$directory"
  while read -r package version file sha256; do
    [ "$package" = "$name" ] || continue
    archive=$(debian_fetch source "$package" "$version" "$file" "$sha256")
    case $file in
      *.debian.tar.*) tar -xf "$archive" -C "$directory" ;;
      *) tar -xf "$archive" -C "$directory" --strip-components 1 ;;
    esac
  done <os/aot/sources.txt
  while read -r patch; do
    patch -d "$directory" -p1 --silent --no-backup-if-mismatch <"$directory/debian/patches/$patch" >/dev/null ||
      fail "Debian's patch \`$patch\` of $name does not apply"
  done < <(sed -E 's/[[:space:]]*(#.*)?$//; /^$/d' "$directory/debian/patches/series")
}

# musl-gcc sees no kernel headers by itself: a directory with them and nothing of glibc.
kernel_headers() {
  local name
  mkdir -p "$1"
  for name in linux asm-generic mtd; do ln -sfn "/usr/include/$name" "$1/$name"; done
  ln -sfn /usr/include/x86_64-linux-gnu/asm "$1/asm"
}
