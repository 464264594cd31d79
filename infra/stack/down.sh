#!/bin/bash
# infra/stack/down.sh DIRECTORY [--remove]
# Stops the servers that up.sh started under DIRECTORY; with --remove deletes their files and DIRECTORY too.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() { echo "usage: $0 DIRECTORY [--remove]" >&2; exit 2; }
[ $# -ge 1 ] && [ $# -le 2 ] || usage
[ "${2:---remove}" = --remove ] || usage
stack=$(realpath -m "$1")
for part in lib postgresql rabbitmq sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

if [ ! -d "$stack/state" ]; then
    say "nothing was started under $stack"
    exit 0
fi
exec 9> "$stack/state/lock"
flock -n 9 || { say "another up.sh or down.sh is at work on $stack: waiting for it"; flock 9; }
stop_mail
stop_sftp
stop_rabbitmq &
stop_postgresql
wait
say "stopped everything under $stack"

if [ "${2:-}" = --remove ]; then
    servers=$(realpath -m "$stack/servers")
    # The small disk of lend.sh.
    if mountpoint -q "$servers/postgresql"; then umount -l "$servers/postgresql"; fi
    case $servers in
    "$stack/servers" | /var/tmp/stockbridge-????????????) rm -rf "$servers" ;;
    esac
    rm -rf "$stack"
    say "removed $stack"
fi
