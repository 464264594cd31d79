#!/bin/bash
# infra/stack/rabbitmq4.sh DIRECTORY
# Unpacks RabbitMQ 4 with all that it needs from Debian 13's packages in DIRECTORY, beside the system: nothing is
# installed and no list of packages is touched. Does nothing if it is there. Needs no root, but a Debian 12 machine.
# With STOCKBRIDGE_RABBITMQ_ROOT=DIRECTORY in its environment up.sh starts that broker instead of the system's.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
directory=$(realpath -m "$1")
say() { printf '%s\n' "rabbitmq4: $*"; }
# shellcheck source=infra/debian13.sh
. "$(dirname "${BASH_SOURCE[0]}")/../debian13.sh"
[ ! -x "$directory/usr/lib/rabbitmq/bin/rabbitmq-server" ] || exit 0

if [ -e "$directory" ]; then
    say "$directory exists and is something else: name another, or remove it" >&2
    exit 1
fi

# The broker, and what its scripts call. No package's own scripts are run, so nothing beyond that is of use.
packages=(rabbitmq-server bash dash coreutils sed grep mawk util-linux mount procps hostname findutils libc-bin)
mkdir -p "${directory%/*}"
work=$(mktemp -d "$directory.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/root"

say "fetching RabbitMQ from Debian 13"
if ! debian13_apt "$work" update ||
    ! debian13_apt "$work" install --download-only --yes --no-install-recommends "${packages[@]}"; then
    say "nothing was unpacked" >&2
    exit 1
fi
for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
# A link that its package would make when it is installed.
[ -e "$work/root/usr/bin/awk" ] || ln -s mawk "$work/root/usr/bin/awk"
# Ours, and nobody needs them.
(cd "$work/root/usr/share" && rm -rf doc man locale)
version=$(basename "$(echo "$work"/cache/archives/rabbitmq-server_*.deb)" | cut -d _ -f 2)
mv -T "$work/root" "$directory"
chmod 755 "$directory"
say "RabbitMQ $version is unpacked in $directory"
