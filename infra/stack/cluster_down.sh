#!/bin/bash
# infra/stack/cluster_down.sh DIRECTORY [--remove]
# Stops the servers that cluster_up.sh started under DIRECTORY; with --remove deletes their files and DIRECTORY too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:---remove}" != --remove ]; then
    echo "usage: $0 DIRECTORY [--remove]" >&2
    exit 2
fi
# shellcheck disable=SC2034 # for lib.sh
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

stop_servers() {
    stop_databases &
    stop_brokers
    wait
}

take_down "${2:-}"
