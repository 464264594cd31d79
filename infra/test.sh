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
if ! swift build --build-tests > .build-test.log 2>&1; then
    grep -E 'error:' .build-test.log | sort -u | head -n 40 >&2 || true
    echo "test: the build failed; the whole output is in .build-test.log" >&2
    exit 1
fi
tail -n 1 .build-test.log

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
