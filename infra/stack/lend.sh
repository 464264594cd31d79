#!/bin/bash
# infra/stack/lend.sh DIRECTORY PROCESS [MEGABYTES]
# Starts servers under DIRECTORY, as up.sh does, for a process that will do them harm. Once that process has ended,
# however it ended, they are stopped and removed. With MEGABYTES the database lies on a disk of that size, which needs
# the right to mount; where it is missing, the database lies where it always does.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 2 ] || { echo "usage: $0 DIRECTORY PROCESS [MEGABYTES]" >&2; exit 2; }
stack=$(realpath -m "$1")
# shellcheck source=/dev/null
. "$here/lib.sh"
# Whoever reads what the process writes must not wait for the servers: nothing it has open is passed on. 255 is Bash's.
for descriptor in "/proc/$$/fd"/*; do
    descriptor=${descriptor##*/}
    if [ "$descriptor" -gt 2 ] && [ "$descriptor" -ne 255 ]; then eval "exec $descriptor>&-"; fi
done

mkdir -p "$stack"
remove_after "$2" down.sh
if [ $# -eq 3 ]; then
    chmod 755 "$stack"
    mkdir -p "$stack/servers/postgresql"
    mount -t tmpfs -o "size=${3}m,mode=711" stockbridge-test "$stack/servers/postgresql" ||
        say "the database gets no disk of its own"
fi
exec "$here/up.sh" "$stack"
