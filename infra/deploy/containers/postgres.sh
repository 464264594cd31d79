#!/bin/sh
# postgres.sh COMMAND...
# The entry point of the database's container. PostgreSQL takes a private key only from a file of its own that nobody
# else can read, which a mounted one is not: it is copied into memory. Then the image's own entry point goes on.
set -eu
place=/tmp/stockbridge
mkdir -p "$place"
chmod 700 "$place"
install -m 600 /run/secrets/server.key "$place/server.key"
install -m 644 /run/secrets/server.crt "$place/server.crt"
exec docker-entrypoint.sh "$@"
