#!/bin/bash
# infra/stack/beside.sh ROOT COMMAND...
# Runs a command with the programs and libraries of another Debian release that is unpacked in ROOT: its /usr takes the
# place of the system's for this command and what it starts, and for nothing else. All other files, the network and the
# processes are the same. Root needs the right to mount; anybody else the right to make a user namespace.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 ROOT COMMAND..." >&2; exit 2; }
options=(--mount --propagation private)
if [ "$(id -u)" -ne 0 ]; then options+=(--user --map-root-user); fi
# shellcheck disable=SC2016 # the inner shell's own
exec unshare "${options[@]}" -- /bin/bash -c \
    'mount --bind "$1/usr" /usr || exit 1; shift; exec "$@"' beside "$@"
