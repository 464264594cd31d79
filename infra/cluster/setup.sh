#!/bin/bash
# infra/cluster/setup.sh [--webhook-name NAME] [DIRECTORY]
# Makes what infra/deploy/setup.sh makes, with certificates and a stockbridge.yaml that name all servers of the cluster,
# and what only a cluster needs: the cookie of the broker's nodes and the password of the database's replication. Asks
# nothing. Run again, it adds what is missing and changes nothing that exists.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
target=$root
environment=$root/.env
for last in "$@"; do :; done
if [ $# -eq 1 ] || [ $# -eq 3 ]; then
    mkdir -p "$last"
    target=$(realpath "$last")
    environment=$target/env
fi
is_new=no
[ -e "$target/stockbridge.yaml" ] || is_new=yes
"$root/infra/deploy/setup.sh" --broker-name rabbitmq-2 --broker-name rabbitmq-3 --database-name postgres-2 "$@"

umask 077
# keep FILE: random text, unless the file exists. The containers' users read it; nobody else comes past `secrets`.
keep() {
    [ ! -s "$1" ] || return 0
    openssl rand -hex 32 > "$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
    echo "setup.sh: made ${1#"$target/"}"
}
keep "$target/secrets/rabbitmq/erlang.cookie"
keep "$target/secrets/postgres/replication"
if [ "$is_new" = yes ]; then
    sed -i -e 's/^  host: rabbitmq$/  host: [rabbitmq, rabbitmq-2, rabbitmq-3]/' \
        -e 's/^  host: postgres$/  host: [postgres, postgres-2]/' "$target/stockbridge.yaml"
fi
grep -q '^  host: \[rabbitmq, ' "$target/stockbridge.yaml" ||
    echo "setup.sh: in $target/stockbridge.yaml write 'host: [rabbitmq, rabbitmq-2, rabbitmq-3]' for the broker and" \
        "'host: [postgres, postgres-2]' for the database, so that the services know all servers" >&2
grep -q '^COMPOSE_FILE=' "$environment" || cat >> "$environment" << END

# The cluster, laid over the single machine's file.
COMPOSE_FILE=$root/compose.yaml:$root/infra/cluster/compose.yaml
END
echo "setup.sh: next: infra/cluster/up.sh"
