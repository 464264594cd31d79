#!/bin/bash
# infra/stack/cluster_down.sh DIRECTORY [--remove]
# Stops the servers that cluster_up.sh started under DIRECTORY; with --remove deletes their files and DIRECTORY too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:---remove}" != --remove ]; then
    echo "usage: $0 DIRECTORY [--remove]" >&2
    exit 2
fi
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

if [ ! -d "$stack/state" ]; then
    say "nothing was started under $stack"
    exit 0
fi
exec 9> "$stack/state/lock"
flock 9
stop_mail
stop_sftp
stop_databases &
stop_brokers
wait
say "stopped everything under $stack"
if [ "${2:-}" = --remove ]; then
    servers=$(realpath -m "$stack/servers")
    case $servers in
    "$stack/servers" | /var/tmp/stockbridge-????????????) rm -rf "$servers" ;;
    esac
    rm -rf "$stack"
    say "removed $stack"
fi
