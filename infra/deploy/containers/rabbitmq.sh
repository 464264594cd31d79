#!/bin/sh
# rabbitmq.sh COMMAND...
# The entry point of the broker's container: writes into its volume what check.sh compares at the next start (the
# version, and a digest of the account that a new volume is made with), and goes on with the image's own entry point.
set -eu
home=/var/lib/rabbitmq
rabbitmqctl version > "$home/stockbridge-version.new"
mv "$home/stockbridge-version.new" "$home/stockbridge-version"
# RabbitMQ reads the account in admin.conf only when it makes its database.
if [ ! -d "$home/mnesia" ] || [ -z "$(ls -A "$home/mnesia")" ]; then
    sha256sum < /run/secrets/admin.conf | cut -c1-64 > "$home/stockbridge-secret"
fi
exec docker-entrypoint.sh "$@"
