#!/usr/bin/env bash
# Builds everything and runs every test project. The last line is `N passed, N failed, N skipped`; the exit code is 1 when anything failed.
#   build/test.sh [PROJECT…]   only those under tests/ (for instance: build/test.sh Policy Pki)
set -euo pipefail
cd "$(dirname "$0")/.."

passed=0 failed=0 skipped=0
logs=out/test
mkdir -p "$logs"

step() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
finish() { printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"; [ "$failed" -eq 0 ]; }
# A part that breaks before it could count its tests is one failure.
broken() { failed=$((failed + 1)); printf 'FAILED: %s\n' "$*"; }

# Runs one test program and adds up what it says of itself.
run_project() {
  local name=$1 program log summary
  program=$(echo artifacts/bin/Talos."$2".Tests/release/Talos."$2".Tests)
  log=$logs/$name.log
  step "$name"
  # Two threads: tests of timing-free code gain, the machine stays usable.
  local status=0
  "$program" -noColor -noLogo -result-junit "$logs/$name.junit.xml" > "$log" 2>&1 || status=$?
  grep -E '\[FAIL\]|\[SKIP\]' "$log" || true
  summary=$(grep -E 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1 || true)
  if [ -z "$summary" ]; then tail -n 40 "$log"; broken "$name ended with code $status before its summary"; return; fi
  local total errors fails skips
  read -r total errors fails skips < <(sed -E 's/.*Total: ([0-9]+), Errors: ([0-9]+), Failed: ([0-9]+), Skipped: ([0-9]+).*/\1 \2 \3 \4/' <<< "$summary")
  passed=$((passed + total - fails - skips)) failed=$((failed + fails + errors)) skipped=$((skipped + skips))
  printf '%s: %d passed, %d failed, %d skipped\n' "$name" "$((total - fails - skips))" "$((fails + errors))" "$skips"
  if [ "$((fails + errors))" -gt 0 ]; then grep -A 25 '\[FAIL\]' "$log" | head -n 200; elif [ "$status" -ne 0 ]; then tail -n 20 "$log"; broken "$name ended with code $status"; fi
}

step "prerequisites"
build/prerequisites.sh

step "solution"
if ! dotnet build Talos.sln -c Release --nologo -v quiet; then broken "the solution does not build"; finish; exit; fi

projects=()
for project in tests/*/Talos.*.Tests.csproj; do projects+=("$project"); done
wanted=("$@")
for project in "${projects[@]}"; do
  folder=$(basename "$(dirname "$project")")
  assembly=$(basename "$project" .Tests.csproj); assembly=${assembly#Talos.}
  if [ "${#wanted[@]}" -gt 0 ] && [[ ! " ${wanted[*]} " == *" $folder "* ]]; then continue; fi
  # Our verdicts are compared with those of the tool that everybody uses; without it those tests say that they were skipped.
  if [ "$folder" = Checks ]; then build/kernel-oracle.sh --unpack || true; fi
  # The end-to-end tests boot the image, so it has to be there.
  if [ "$folder" = EndToEnd ] && [ -x build/image.sh ]; then
    step "image"
    build/image.sh || broken "the image does not build"
  fi
  run_project "$folder" "$assembly"
done
finish
