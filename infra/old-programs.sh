#!/bin/bash
# infra/old-programs.sh [REF]
# Builds the executables of an earlier version and prints the folder that holds them, for the tests of upgrades:
#   STOCKBRIDGE_OLD_PROGRAMS=$(infra/old-programs.sh) swift test --filter RollingUpgradeFaults
#   infra/test-containers.sh --old "$(infra/old-programs.sh)"
# REF is a commit or a tag; by default $OLD, else the newest tag before this commit, else the commit before this one.
# The sources lie in .build-old, apart from the working copy, and what was built once is not built again.
set -euo pipefail
[ $# -le 1 ] || { echo "usage: $0 [REF]" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
ref=${1:-${OLD:-$(git describe --tags --abbrev=0 HEAD~1 2> /dev/null || echo HEAD~1)}}
commit=$(git rev-parse --verify --quiet "$ref^{commit}") ||
    { echo "old-programs: there is no version '$ref' here" >&2; exit 2; }
sources=$root/.build-old/sources
products=(stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier stockbridge)

exec 7> .build-old.lock
flock 7
if [ "$(cat .build-old/commit 2> /dev/null || true)" != "$commit" ]; then
    rm -rf "$sources" .build-old/commit
    mkdir -p "$sources"
    git archive "$commit" | tar -x -C "$sources"
    if [ -f Package.resolved ]; then cp Package.resolved "$sources/"; fi
    for product in "${products[@]}"; do
        echo "old-programs: building $product of ${commit:0:10}" >&2
        swift build -c release --package-path "$sources" --scratch-path .build-old/build --product "$product" \
            > .build-old/build.log 2>&1 7>&- || {
            grep -E 'error:' .build-old/build.log | sort -u | head -n 20 >&2 || true
            echo "old-programs: $product was not built; the whole output is in .build-old/build.log" >&2
            exit 1
        }
    done
    echo "$commit" > .build-old/commit
fi
swift build -c release --package-path "$sources" --scratch-path .build-old/build --show-bin-path 7>&-
