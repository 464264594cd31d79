#!/bin/sh
# mark-volume.sh
# Run once by the image, when it has made a new database: writes into the volume a digest of the password that it was
# made with, which check.sh compares at the next start.
set -eu
sha256sum < /run/secrets/password | cut -c1-64 > "$PGDATA/stockbridge-secret"
