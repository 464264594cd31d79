#!/bin/bash
# infra/backup/backup.sh FOLDER
# Writes everything that Stockbridge has to keep of its database into FOLDER, as of one moment, while services work:
# stockbridge-<UTC>.dump, and beside it the names of the roles. Prints the dump's path. A dump that was not finished
# never gets its name. The database is found as every PostgreSQL tool finds it (PGHOST, PGPORT, PGUSER, PGDATABASE,
# PGPASSFILE or PGPASSWORD), as its administrator. BACKUP_IN runs the tools elsewhere, such as
# BACKUP_IN="docker compose exec -T postgresql".
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
folder=$1
database=${PGDATABASE:?say which database: export PGDATABASE=stockbridge}
read -ra in <<< "${BACKUP_IN:-}"
at() { "${in[@]}" env "PGDATABASE=$database" ${PGUSER:+"PGUSER=$PGUSER"} "$@"; }

umask 077
mkdir -p "$folder"
name=$folder/stockbridge-$(date -u +%Y%m%dT%H%M%SZ)
[ ! -e "$name.dump" ] || { echo "backup: $name.dump exists already; nothing was done" >&2; exit 1; }
trap 'rm -f "$name.dump.part" "$name.roles.part"' EXIT
# Whoever may connect besides the administrator: the dump names them and does not make them.
at psql -X -A -t -v ON_ERROR_STOP=1 -c "
    SELECT rolname FROM pg_roles
    WHERE rolcanlogin AND NOT rolsuper AND has_database_privilege(rolname, current_database(), 'CONNECT')
    ORDER BY 1" > "$name.roles.part"
at pg_dump --format=custom --lock-wait-timeout=60s > "$name.dump.part"
# A dump that cannot be read back is found now, not on the day it is needed.
at pg_restore --list < "$name.dump.part" > /dev/null
mv "$name.roles.part" "$name.roles"
mv "$name.dump.part" "$name.dump"
echo "$name.dump"
