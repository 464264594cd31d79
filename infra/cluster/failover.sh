#!/bin/bash
# infra/cluster/failover.sh
# Makes the standby database the primary: ends the old primary first, so that there are never two, and promotes the
# standby then. For when the primary is dead, or to take its machine out of service. The services find the new primary
# by themselves. Start the old one again afterwards, as the last line says: it becomes the standby.
# COMPOSE_PROJECT_NAME and ENV_FILE (the file env of another directory than this repository's) may be set.
# shellcheck disable=SC2154 # compose comes from lib.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=/dev/null
. infra/cluster/lib.sh

standby=
for service in postgres postgres-2; do
    if database "$service" status 2> /dev/null | grep -q 'is the standby'; then standby=$service; fi
done
if [ -z "$standby" ]; then
    echo "failover.sh: no standby runs, so none can take over. Look at '${compose[*]} logs postgres postgres-2'." \
        "Nothing was changed." >&2
    exit 1
fi
if [ "$standby" = postgres ]; then old=postgres-2; else old=postgres; fi
# By kill, for a primary that cannot reach its standby would not end in good order; stop, so that nothing restarts it.
"${compose[@]}" kill --signal KILL "$old" > /dev/null 2>&1 || true
"${compose[@]}" stop --timeout 1 "$old" > /dev/null
if "${compose[@]}" ps --status running --services | grep -qx "$old"; then
    echo "failover.sh: $old still runs and could not be ended: nothing was promoted" >&2
    exit 1
fi
echo "failover.sh: $old is stopped"
database "$standby" promote --old-primary-is-off
echo "failover.sh: $standby is the primary, with no standby until you run: ${compose[*]} start $old"
