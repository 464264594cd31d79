#!/bin/bash
# infra/cluster/up.sh [OPTION OF docker compose up...]
# Starts the cluster and the services, and waits until they are healthy. Only when neither database has a volume yet, an
# empty database is made; ever after, a database without data waits for the other one.
# COMPOSE_PROJECT_NAME and ENV_FILE (the file env of another directory than this repository's) may be set.
# shellcheck disable=SC2154 # compose comes from lib.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=/dev/null
. infra/cluster/lib.sh
volumes=$(docker volume ls -q --filter "label=com.docker.compose.project=$(project)")
if ! grep -Eq '_postgres-[12]$' <<< "$volumes"; then
    "${compose[@]}" run --rm --no-deps postgres initialize
fi
exec "${compose[@]}" up --detach --wait "$@"
