#!/bin/bash
# infra/stack/watch.sh DIRECTORY PROCESS MARK DOWN
# Has DOWN, which is down.sh or cluster_down.sh, stop and remove the servers under DIRECTORY once PROCESS has ended,
# however it ended; MARK tells it from a later one of that number. Started by lend.sh and cluster_up.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 4 ] || { echo "usage: $0 DIRECTORY PROCESS MARK DOWN" >&2; exit 2; }
# shellcheck source=/dev/null
. "$here/lib.sh"
# The process has the rest of its life to stop them in the usual way; then there is nothing left to do.
while [ -d "$1" ] && [ "$(process_mark "$2")" = "$3" ]; do sleep 1; done
[ ! -d "$1" ] || "$here/$4" "$1" --remove
