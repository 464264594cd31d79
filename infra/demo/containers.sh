#!/bin/bash
# infra/demo/containers.sh DIRECTORY [SKUS [REQUESTS_PER_SECOND]]
# Prepares a demo in containers: a day of a merchant with SKUS articles (20000) and five simulated shops, each called at
# most REQUESTS_PER_SECOND (80) times a second. Writes secrets, certificates, configuration and data to DIRECTORY, which
# must not exist, and says how to start it. Needs docker compose; builds the image of the equipment if it is missing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
if [ $# -lt 1 ] || [ $# -gt 3 ]; then
    echo "usage: $0 DIRECTORY [SKUS [REQUESTS_PER_SECOND]]" >&2
    exit 2
fi
shown=$1
directory=$(realpath -m "$1")
skus=${2:-20000}
pace=${3:-80}
say() { printf '%s\n' "demo: $*"; }
die() { say "$*" >&2; exit 1; }
[[ $skus =~ ^([6-9][0-9]|[1-9][0-9]{2,5})$ ]] || die "SKUS is $skus: give a number from 60 to 999999"
[[ $pace =~ ^[1-9][0-9]*$ ]] || die "REQUESTS_PER_SECOND is $pace: give a number of 1 or more"
[ ! -e "$directory" ] || die "$shown exists: take that demo down, then remove the folder, or name another one"
case $directory in *[!A-Za-z0-9._/-]*) die "$directory has other characters than letters, digits, . _ and -" ;; esac
docker compose version > /dev/null || die "docker compose is missing or finds no engine"

cd "$root"
# Half of a demo is none.
trap '[ $? -eq 0 ] || rm -rf "$directory"' EXIT
infra/deploy/setup.sh --webhook-name nginx "$directory" > /dev/null
sed -i '/^[A-Z]*_PORT=/d' "$directory/env"
cat >> "$directory/env" << ADDED
# The demo: its equipment, its clock, and nothing published beyond this machine.
COMPOSE_FILE=$root/compose.yaml:$root/infra/demo/compose.yaml
COMPOSE_PROFILES=demo
STOCKBRIDGE_DEMO=$directory/play
HTTPS_BIND=127.0.0.1
HTTPS_PORT=0
MANAGEMENT_PORT=0
ADDED
image=${DEMO_IMAGE:-stockbridge-demo:latest}
if ! docker image inspect "$image" > /dev/null 2>&1; then
    say "building $image"
    docker compose --env-file "$directory/env" build --quiet night
fi
docker run --rm --network none --user 0:0 -v "$directory:/prepared" "$image" prepare "$skus" "$pace"
cat << END
demo: prepared. Its clock runs now: start it within a quarter of an hour.
   docker compose --env-file $shown/env -p demo up --wait
   docker compose --env-file $shown/env -p demo run --rm day
and at the end
   docker compose --env-file $shown/env -p demo down --volumes && rm -rf $shown
END
