#!/bin/bash
# infra/demo/stop.sh [DIRECTORY]       (make stop)
# Ends what infra/demo/run.sh started: services, shops and servers. What they wrote stays in DIRECTORY.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
stack=$(realpath -m "${1:-.stack}")
[ -d "$stack/state" ] || { echo "stop: nothing was started in $stack"; exit 0; }
# shellcheck source=infra/stack/lib.sh
. infra/stack/lib.sh
# shellcheck source=infra/demo/lib.sh
. infra/demo/lib.sh
end_demo_processes
infra/stack/down.sh "$stack"
