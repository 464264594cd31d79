#!/bin/bash
# What the official image's entry point does, as far as compose.yaml uses it: as root it gives the volume to the
# broker's user and goes on as that one.
set -euo pipefail
if [ "${1:-}" = rabbitmq-server ] && [ "$(id -u)" = 0 ]; then
    chown -R rabbitmq: /var/lib/rabbitmq
    exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups -- "$0" "$@"
fi
exec "$@"
