#!/bin/bash
# infra/stack/rabbitmq4.sh DIRECTORY
# Unpacks RabbitMQ 4 with all that it needs from Debian 13's packages in DIRECTORY, beside the system: nothing is
# installed and no list of packages is touched. Does nothing if it is there. Needs no root, but a Debian 12 machine.
# With STOCKBRIDGE_RABBITMQ_ROOT=DIRECTORY in its environment up.sh starts that broker instead of the system's.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
directory=$(realpath -m "$1")
say() { printf '%s\n' "rabbitmq4: $*"; }
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
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,root,parts}
: > "$work/status"

# The machine's own sources with the next release's name: the same mirrors, the same keys.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    case $file in *.list | *.sources) ;; *) continue ;; esac
    if [ -r "$file" ] && grep -qE 'debian(-security)?/?( |$)' "$file" && grep -q bookworm "$file"; then
        sed 's/bookworm/trixie/g' "$file" > "$work/parts/${file##*/}"
    fi
done
if [ -z "$(ls -A "$work/parts")" ]; then
    say "found no sources of Debian 12 packages below /etc/apt to take the next release's from" >&2
    exit 1
fi
apt() {
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State=$work/state" \
        -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@" > "$work/log" 2>&1 || {
        tail -n 20 "$work/log" >&2
        say "apt-get could not fetch Debian 13's packages, and nothing was unpacked: try again" >&2
        exit 1
    }
}

say "fetching RabbitMQ from Debian 13"
apt update -o APT::Update::Error-Mode=any
apt install --download-only --yes --no-install-recommends "${packages[@]}"
for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
# A link that its package would make when it is installed.
[ -e "$work/root/usr/bin/awk" ] || ln -s mawk "$work/root/usr/bin/awk"
# Ours, and nobody needs them.
(cd "$work/root/usr/share" && rm -rf doc man locale)
version=$(basename "$(echo "$work"/cache/archives/rabbitmq-server_*.deb)" | cut -d _ -f 2)
mv -T "$work/root" "$directory"
chmod 755 "$directory"
say "RabbitMQ $version is unpacked in $directory"
