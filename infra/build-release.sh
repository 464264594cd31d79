#!/bin/bash
# infra/build-release.sh PRODUCT...
# Builds executables in release, in a folder of their own beside the debug build, and says what it is doing.
# `infra/build-release.sh --path` prints where they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
builder=(swift build -c release --scratch-path .build-release)
if [ "${1:-}" = --path ]; then exec "${builder[@]}" --show-bin-path; fi
for product in "$@"; do
    printf '   %s\n' "$product"
    "${builder[@]}" --product "$product" > .build-release.log 2>&1 || {
        grep -E 'error:' .build-release.log | sort -u | head -n 20 >&2 || true
        printf 'build: %s was not built; the whole output is in .build-release.log\n' "$product" >&2
        exit 1
    }
done
