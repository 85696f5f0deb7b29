#!/usr/bin/env bash
# What kernel-hardening-checker, the tool that everybody uses, says of our kernel: every failure, then the counts by kind.
# It is Debian's package, unpacked, not installed.
#   build/kernel-oracle.sh --unpack   only that; tests/Checks compares our verdicts with it
set -euo pipefail
cd "$(dirname "$0")/.."
. build/debian.sh

command -v python3 >/dev/null || fail "python3 is not installed" "apt-get install python3"
archive=$(debian_fetch deb kernel-hardening-checker 0.6.17.1-3 kernel-hardening-checker_0.6.17.1-3_all.deb \
  d35697b44665a35be844cbe003ad37bab0a35503d165a0c61725cc8e225421e7)
out=out/kernel-oracle
rm -rf "$out" && mkdir -p "$out"
dpkg-deb -x "$archive" "$out/checker"
[ "${1:-}" != --unpack ] || exit 0
[ -f out/kernel/config ] || build/kernel.sh --config
grep -v '^#' os/kernel/cmdline.txt | xargs >"$out/cmdline"
export PYTHONPATH="$out/checker/usr/lib/python3/dist-packages"
python3 -c 'from kernel_hardening_checker import main; main()' \
  -c out/kernel/config -l "$out/cmdline" -s os/rootfs/etc/talos/sysctl.conf >"$out/report"
grep -E '\| FAIL' "$out/report" || true
for kind in kconfig cmdline sysctl; do
  printf '%s: %d OK, %d FAIL\n' "$kind" "$(grep -cE "\|\s*$kind\s*\|.*\| OK" "$out/report")" "$(grep -cE "\|\s*$kind\s*\|.*\| FAIL" "$out/report" || true)"
done
