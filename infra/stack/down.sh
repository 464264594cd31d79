#!/bin/bash
# infra/stack/down.sh DIRECTORY [--remove]
# Stops the servers that up.sh started under DIRECTORY; with --remove deletes their files and DIRECTORY too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:---remove}" != --remove ]; then
    echo "usage: $0 DIRECTORY [--remove]" >&2
    exit 2
fi
# shellcheck disable=SC2034 # for lib.sh
stack=$(realpath -m "$1")
for part in lib postgresql rabbitmq sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

stop_servers() {
    stop_rabbitmq &
    stop_postgresql
    wait
}

take_down "${2:-}"
