#!/bin/bash
# infra/stack/cluster_promote.sh DIRECTORY [--old-primary-is-off]
# Makes the standby of the cluster under DIRECTORY the primary, once the old primary is no longer running. The old one
# becomes the standby when cluster_up.sh starts it again. With --old-primary-is-off it is done although its process is
# still there, for tests of what protects from somebody who says so wrongly.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 1 ] || [ "${2:---old-primary-is-off}" != --old-primary-is-off ]; then
    echo "usage: $0 DIRECTORY [--old-primary-is-off]" >&2
    exit 2
fi
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done
# shellcheck disable=SC2034 # for cluster_lib.sh
servers=$(realpath "$stack/servers")
for standby in 1 2; do
    if database_status "$standby" 2> /dev/null | grep -q 'is the standby'; then
        other=$((3 - standby))
        # Where its process has ended nobody has to vouch for it.
        if [ $# -eq 1 ] && running "postgresql-$other" > /dev/null; then
            die "postgres-$other still runs: nothing was changed"
        fi
        database_node "$standby" promote --old-primary-is-off
        # shellcheck disable=SC2154 # database_node sets it
        as postgres "${database_command[@]}"
        exit 0
    fi
done
die "no standby runs under $stack: nothing was changed"
