#!/bin/bash
# infra/test.sh [--unit | --faults]
# Installs what is missing, builds, starts a private stack under .stack-test, runs the tests, and stops the stack,
# whatever happens. Ends with the number of tests.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
mode=${1:-all}

infra/install.sh build test
echo "test: building (the first time takes several minutes)"
swift build --build-tests 2>&1 | { grep -E 'error:|warning: unre|^Build complete|Compiling .*Tests' || true; } | tail -n 40
[ "${PIPESTATUS[0]}" -eq 0 ] || { echo "test: the build failed; run 'swift build --build-tests' for the whole output" >&2; exit 1; }

if [ "$mode" = --unit ]; then
    exec swift test --skip-build --skip Integration --skip EndToEnd --skip ShopContract --skip Faults
fi

trap 'infra/stack/down.sh .stack-test --remove || true' EXIT
infra/stack/up.sh .stack-test
# shellcheck disable=SC1091
. .stack-test/environment
if [ "$mode" = --faults ]; then
    STOCKBRIDGE_FAULT_SEEDS=${SEEDS:-20} swift test --skip-build --filter Faults
else
    swift test --skip-build
fi
