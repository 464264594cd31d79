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

trap 'infra/stack/down.sh .stack-test --remove > /dev/null || true' EXIT
infra/stack/up.sh .stack-test
# shellcheck disable=SC1091
. .stack-test/environment
only=()
if [ "$mode" = --faults ]; then
    only=(--filter Faults)
    export STOCKBRIDGE_FAULT_SEEDS=${SEEDS:-20}
fi
code=0
swift test --skip-build "${only[@]}" 2>&1 | tee .build-test.log || code=$?
# What counts comes last, where it is seen.
echo
grep -E '^✘ Test .* recorded an issue|^faults: ' .build-test.log | tail -n 40 || true
grep -E 'Test run with' .build-test.log | tail -n 1
exit "$code"
