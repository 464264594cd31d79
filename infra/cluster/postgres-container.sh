#!/bin/bash
# postgres-container.sh initialize | run | promote [--old-primary-is-off] | alone | status
# The entry point of a database's container, and its operator's tool: postgres-node.sh with the deployment's settings.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -s /run/secrets/replication ] || {
    echo "The secret postgres/replication is missing: run infra/cluster/setup.sh. Nothing was started." >&2
    exit 1
}
if [ "${1:-}" = run ]; then
    # By way of the single database's entry point, which puts the key for TLS where PostgreSQL takes it.
    exec /bin/sh /etc/stockbridge/postgres.sh "$here/postgres-node.sh" run \
        -c config_file=/etc/stockbridge/postgresql.conf -c unix_socket_directories=/tmp
fi
exec "$here/postgres-node.sh" "$@"
