#!/bin/sh
# rabbitmq-node.sh COMMAND...
# The entry point of a broker node's container: puts the cookie that lets nodes into one cluster where RabbitMQ wants
# it, and goes on with the entry point of a single broker.
set -eu
cookie=/var/lib/rabbitmq/.erlang.cookie
[ -s /run/secrets/erlang.cookie ] || {
    echo "The secret rabbitmq/erlang.cookie is missing: run infra/cluster/setup.sh. Nothing was started." >&2
    exit 1
}
install -m 600 /run/secrets/erlang.cookie "$cookie.new"
chmod 400 "$cookie.new"
mv -f "$cookie.new" "$cookie"
exec /bin/sh /etc/stockbridge/rabbitmq.sh "$@"
