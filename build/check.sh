#!/usr/bin/env bash
# Formatting, analyzers (warnings are errors) and the rules of tests/Tidy.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build Talos.sln -c Release --nologo -v quiet -p:TalosAnalyze=true
dotnet format whitespace Talos.sln --verify-no-changes --no-restore
artifacts/bin/Talos.Tidy.Tests/release/Talos.Tidy.Tests -noColor -noLogo
