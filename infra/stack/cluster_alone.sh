#!/bin/bash
# infra/stack/cluster_alone.sh DIRECTORY
# Lets the primary of the cluster under DIRECTORY go on without its standby, which is gone: an operator's decision. The
# primary waits for the standby again once cluster_up.sh has started it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -ne 1 ]; then
    echo "usage: $0 DIRECTORY" >&2
    exit 2
fi
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done
# shellcheck disable=SC2034 # for cluster_lib.sh
servers=$(realpath "$stack/servers")
for primary in 1 2; do
    if database_status "$primary" 2> /dev/null | grep -q 'is the primary'; then
        database_node "$primary" alone
        # shellcheck disable=SC2154 # database_node sets it
        as postgres "${database_command[@]}"
        exit 0
    fi
done
die "no primary runs under $stack: nothing was changed"
