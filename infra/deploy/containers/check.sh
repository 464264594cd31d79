#!/bin/sh
# check.sh postgres|rabbitmq
# Runs in the server's own image before anything is started, with the server's volume and secrets. Says in one line why
# the server must not be started and what to do, and ends with 1; changes nothing. Ends with 0 if it may start.
# MINIMUM_MEMORY_MIB: so much memory the machine must have; 0 leaves the check out.
set -eu

refuse() {
    echo "$1 Nothing was started or changed." >&2
    exit 1
}

check_memory() {
    total=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
    [ "$total" -ge "${MINIMUM_MEMORY_MIB:-0}" ] || refuse "This machine has $total MiB of memory and Stockbridge \
needs $MINIMUM_MEMORY_MIB: give it more, or set MINIMUM_MEMORY_MIB in .env to try all the same."
}

check_secret() {
    [ -s "/run/secrets/$1" ] ||
        refuse "The secret $server/$1 is missing or empty: run infra/deploy/setup.sh, or put it back from your backup."
}

# The mark is a digest of the random password with which the volume was made; see rabbitmq.sh and mark-volume.sh.
check_mark() {
    [ -s "$1" ] || return 0
    mark=$(sha256sum < "/run/secrets/$2" | cut -c1-64)
    [ "$(cat "$1")" = "$mark" ] || refuse "The volume of $server was made with another $2 than secrets/$server/$2: put \
the folder secrets that belongs to it back, or, if its data may be lost, delete it with 'docker compose down -v'."
}

check_postgres() {
    for name in password server.crt server.key; do check_secret "$name"; done
    data=${PGDATA:-/var/lib/postgresql/data}
    [ -s "$data/PG_VERSION" ] || return 0
    volume=$(cat "$data/PG_VERSION")
    image=$(postgres --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    [ "$volume" = "$image" ] || refuse "The volume of postgres was written by PostgreSQL $volume and the image is \
PostgreSQL $image, which cannot read it: set POSTGRES_IMAGE=postgres:$volume in .env, or move the data over as \
docs/deployment.md says under 'Another version of PostgreSQL'."
    check_mark "$data/stockbridge-secret" password
}

# Whether RabbitMQ goes from one series to another in one step.
is_one_step() {
    case "$1 $2" in
    "3.9 3.10" | "3.10 3.11" | "3.11 3.12" | "3.12 3.13" | "3.13 4."*) return 0 ;;
    "4."*" 4."*) [ "${2#4.}" -gt "${1#4.}" ] ;;
    *) return 1 ;;
    esac
}

check_rabbitmq() {
    for name in admin.conf server.crt server.key ca.crt; do check_secret "$name"; done
    home=/var/lib/rabbitmq
    if [ -s "$home/stockbridge-version" ]; then
        volume=$(cut -d. -f1,2 < "$home/stockbridge-version")
        image=$(rabbitmqctl version | cut -d. -f1,2)
        [ "$volume" = "$image" ] || is_one_step "$volume" "$image" || refuse "The volume of rabbitmq was written by \
RabbitMQ $volume and the image is RabbitMQ $image, which does not follow it in one step: set \
RABBITMQ_IMAGE=rabbitmq:$volume-management in .env, or go the steps that docs/deployment.md names under 'Another \
version of RabbitMQ'."
    fi
    check_mark "$home/stockbridge-secret" admin.conf
}

server=${1:-}
case $server in
postgres | rabbitmq) ;;
*) echo "usage: $0 postgres|rabbitmq" >&2; exit 2 ;;
esac
check_memory
"check_$server"
