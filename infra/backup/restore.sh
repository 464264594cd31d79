#!/bin/bash
# infra/backup/restore.sh DUMP [--replace]
# Makes the database of PGDATABASE anew from what backup.sh wrote, in one transaction. A database of that name is left
# alone; with --replace it is kept under another name, which is printed. Stop all services before, and afterwards go on
# as docs/backup.md says: the database alone is not in step with shops, ERP and broker. Variables as for backup.sh.
set -euo pipefail
usage() { echo "usage: $0 DUMP [--replace]" >&2; exit 2; }
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ "${2:---replace}" != --replace ]; then usage; fi
dump=$1
replace=${2:-}
database=${PGDATABASE:?say which database: export PGDATABASE=stockbridge}
[ -s "$dump" ] || { echo "restore: there is no dump $dump; nothing was done" >&2; exit 1; }
[ -e "${dump%.dump}.roles" ] || { echo "restore: ${dump%.dump}.roles is missing; nothing was done" >&2; exit 1; }
read -ra in <<< "${BACKUP_IN:-}"
at() { "${in[@]}" env "PGDATABASE=$database" ${PGUSER:+"PGUSER=$PGUSER"} "$@"; }
# The server quotes names: each is a variable of psql.
maintain() { at psql -X -q -A -t -v ON_ERROR_STOP=1 -v "database=$database" "$@" -d postgres; }

at pg_restore --list < "$dump" > /dev/null
if [ -n "$(maintain <<< "SELECT 1 FROM pg_database WHERE datname = :'database'")" ]; then
    if [ -z "$replace" ]; then
        echo "restore: database $database exists; nothing was done. With --replace it is kept under another name." >&2
        exit 1
    fi
    other=${database:0:40}_before_$(date -u +%Y%m%dT%H%M%SZ | tr '[:upper:]' '[:lower:]')
    maintain -v "other=$other" <<< 'ALTER DATABASE :"database" RENAME TO :"other"' || {
        echo "restore: somebody is connected to $database: stop all services first; nothing was done" >&2
        exit 1
    }
    echo "restore: what was there is database $other now; drop it when nobody needs it any more"
fi
while read -r role; do
    maintain -v "role=$role" <<< "
        SELECT format('CREATE ROLE %I NOLOGIN', :'role')
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role') \\gexec"
done < "${dump%.dump}.roles"
maintain <<< "CREATE DATABASE :\"database\" TEMPLATE template0 ENCODING 'UTF8'"
if ! at pg_restore --exit-on-error --single-transaction --no-owner "--dbname=$database" < "$dump"; then
    maintain <<< 'DROP DATABASE :"database"'
    echo "restore: the dump could not be read into the database; it was removed again" >&2
    exit 1
fi
# Without statistics the first statements would be planned blindly.
at psql -X -q -c 'ANALYZE'
echo "restore: database $database is as it was in $(basename "$dump")"
