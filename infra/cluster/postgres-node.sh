#!/bin/bash
# infra/cluster/postgres-node.sh initialize | run [POSTGRES OPTION...] | promote [--old-primary-is-off] | alone | status
# One of two PostgreSQL servers of which one writes (the primary) and the other follows (the standby). The primary
# answers a COMMIT only when the standby has it on its disk, so either may die and nothing that was answered is lost.
#
#   initialize  makes a new, empty database on the server that is to be the first primary. Nothing else ever does:
#               a server that lost its data waits for the other one.
#   run         starts this server in the role that is safe: without data it copies the primary; a standby follows; one
#               that was the primary goes on only if the other one is still its standby, and becomes the standby itself
#               if the other one was promoted meanwhile. What it waits for stands in its log.
#   promote     makes this standby the primary. A person's decision, see docs/operations.md: nothing here promotes by
#               itself. Refused while the old primary answers, and unless somebody vouches that it is switched off.
#   alone       lets this primary go on without its standby until that one is back. What it writes until then exists
#               once only.
#   status      one line: role, and whether the other one keeps up.
#
# Environment: NODE and PEER (names of the two), PEER_HOST, PGDATA (a directory whose parent belongs to it as well),
# PASSWORD_FILE and REPLICATION_PASSWORD_FILE (of the roles postgres and replicator); may be set: HOST (where this one
# is reached from here, 127.0.0.1), PORT and PEER_PORT (5432), HBA_TYPE (host; hostssl to refuse what is not encrypted),
# and libpq's PGSSLMODE and PGSSLROOTCERT.
set -euo pipefail

: "${NODE:?}" "${PEER:?}" "${PEER_HOST:?}" "${PGDATA:?}" "${PASSWORD_FILE:?}" "${REPLICATION_PASSWORD_FILE:?}"
HOST=${HOST:-127.0.0.1} PORT=${PORT:-5432} PEER_PORT=${PEER_PORT:-$PORT} HBA_TYPE=${HBA_TYPE:-host}
export PGDATA PGCONNECT_TIMEOUT=3
for directory in /usr/lib/postgresql/*/bin; do
    if [ -x "$directory/postgres" ]; then PATH=$directory:$PATH; fi
done
# Beside the data: a copy of the other one's data must not overwrite it. Says when the primary last waited for us.
mark=$PGDATA.synchronous

say() { printf '%s\n' "$NODE: $*" >&2; }
die() {
    say "$*"
    exit 1
}

write_password_file() {
    PGPASSFILE=$(dirname "$PGDATA")/.pgpass-$NODE
    export PGPASSFILE
    (
        umask 077
        {
            echo "*:*:*:postgres:$(password "$PASSWORD_FILE")"
            echo "*:*:*:replicator:$(password "$REPLICATION_PASSWORD_FILE")"
        } > "$PGPASSFILE.new"
    )
    mv "$PGPASSFILE.new" "$PGPASSFILE"
}
# As libpq's password file wants it.
password() { head -n 1 "$1" | sed 's/[\\:]/\\&/g'; }

# Not by the name in its certificate.
here() { PGSSLMODE=prefer psql -X -v ON_ERROR_STOP=1 -h "$HOST" -p "$PORT" -U postgres -d postgres -Atqc "$1"; }
peer() { psql -X -v ON_ERROR_STOP=1 -h "$PEER_HOST" -p "$PEER_PORT" -U postgres -d postgres -Atqc "$1"; }

# primary, standby, or nothing where it does not answer. Usage: role_of here|peer
role_of() {
    "$1" "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END" 2> /dev/null || true
}

# Says something once, however long it stays true. Usage: say_once TEXT
say_once() {
    [ "${said:-}" = "$1" ] || say "$1"
    said=$1
}

# --- The data, before the server runs

initialize() {
    [ ! -e "$PGDATA/PG_VERSION" ] || die "there is a database in $PGDATA already: nothing was changed"
    say "making a new, empty database"
    mkdir -p "$(dirname "$PGDATA")"
    rm -rf "$PGDATA.new"
    initdb --pgdata="$PGDATA.new" --username=postgres --pwfile=<(head -n 1 "$PASSWORD_FILE") --data-checksums \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > /dev/null
    # In its own file, since pg_rewind starts a server of this data that knows no other settings.
    echo "wal_keep_size = 1GB" >> "$PGDATA.new/postgresql.conf"
    local secret
    secret=$(head -n 1 "$REPLICATION_PASSWORD_FILE" | sed "s/'/''/g")
    # By the standard input: not to be seen among the processes' arguments.
    postgres --single -D "$PGDATA.new" postgres > /dev/null <<< \
        "CREATE ROLE replicator REPLICATION LOGIN PASSWORD '$secret'"
    mv "$PGDATA.new" "$PGDATA"
}

copy_primary() {
    say "copying the data of $PEER, to become its standby"
    rm -rf "$PGDATA.new" "$mark"
    pg_basebackup -h "$PEER_HOST" -p "$PEER_PORT" -U replicator -D "$PGDATA.new" -X stream -c fast ||
        die "the copy failed: this one starts again with nothing"
    touch "$PGDATA.new/standby.signal"
    mv "$PGDATA.new" "$PGDATA"
}

# It was the primary and died, or was cut off; the other one was promoted. What it has and the other one has not was
# answered to nobody, for the answer waits for the standby.
follow_successor() {
    say "$PEER is the primary now: this one becomes its standby"
    rm -f "$mark"
    if pg_rewind -D "$PGDATA" --source-server="host=$PEER_HOST port=$PEER_PORT user=postgres dbname=postgres"; then
        touch "$PGDATA/standby.signal"
        return
    fi
    say "the data could not be wound back: it is kept in $PGDATA.diverged and $PEER is copied"
    rm -rf "$PGDATA.diverged"
    mv "$PGDATA" "$PGDATA.diverged"
    copy_primary
}

# A machine that was switched off leaves a lock file whose process number may belong to anybody now.
drop_stale_lock() {
    local pid
    [ -s "$PGDATA/postmaster.pid" ] || return 0
    pid=$(head -n 1 "$PGDATA/postmaster.pid")
    [ "$(readlink "/proc/$pid/cwd" 2> /dev/null)" = "$(realpath "$PGDATA")" ] || rm -f "$PGDATA/postmaster.pid"
}

# Whether it may write without having seen the other one: only if it was made, or let, alone.
writes_alone() { ! grep -Eq "^synchronous_standby_names = '.+'" "$PGDATA/postgresql.auto.conf"; }

prepare() {
    while true; do
        local other
        other=$(role_of peer)
        if [ ! -s "$PGDATA/PG_VERSION" ]; then
            case $other in
            primary) copy_primary; return 0 ;;
            standby) say_once "no data here, and $PEER is a standby: waiting until somebody promotes it" ;;
            *)
                say_once "no data here, and $PEER does not answer: waiting for it, to copy its data. A new, empty \
database is made only by: postgres-node.sh initialize"
                ;;
            esac
        elif [ -e "$PGDATA/standby.signal" ]; then
            return 0
        else
            case $other in
            standby) return 0 ;;
            primary) follow_successor; return 0 ;;
            *)
                if writes_alone; then return 0; fi
                say_once "this was the primary, and $PEER does not answer: waiting, since it may have been promoted \
meanwhile, and no COMMIT could end without it. If $PEER is gone for good: postgres-node.sh alone"
                ;;
            esac
        fi
        if [ -e "$PGDATA.alone" ]; then
            rm -f "$PGDATA.alone" "$PGDATA/standby.signal"
            echo "synchronous_standby_names = ''" >> "$PGDATA/postgresql.auto.conf"
            say "told to go on alone"
            return 0
        fi
        sleep 1
    done
}

# --- While the server runs

# A standby that follows has the primary wait for it from now on, and remembers when that was last so.
demand_confirmation() {
    [ "$(here "SELECT status FROM pg_stat_wal_receiver" 2> /dev/null)" = streaming ] || return 0
    local state
    state=$(peer "SELECT sync_state FROM pg_stat_replication WHERE application_name = '$NODE'" 2> /dev/null) || return 0
    case $state in
    sync) touch "$mark" ;;
    async)
        peer "ALTER SYSTEM SET synchronous_standby_names = '\"$NODE\"'" > /dev/null
        peer "SELECT pg_reload_conf()" > /dev/null
        say "follows $PEER, which from now on waits for it at every COMMIT"
        ;;
    esac
}

timeline="SELECT timeline_id FROM pg_control_checkpoint()"

# Two primaries: the one that was not promoted last gives way, and starts again as a standby.
step_down_if_replaced() {
    local postmaster=$1 own successor
    [ "$(role_of peer)" = primary ] || return 0
    own=$(here "$timeline" 2> /dev/null) && successor=$(peer "$timeline" 2> /dev/null) || return 0
    if [ "$successor" -gt "$own" ]; then
        say "$PEER was promoted while this one could not be reached: this one stops"
        kill -QUIT "$postmaster"
    fi
}

watch() {
    local postmaster=$1
    while sleep 2 && kill -0 "$postmaster" 2> /dev/null; do
        case $(role_of here) in
        standby) demand_confirmation || true ;;
        primary) step_down_if_replaced "$postmaster" || true ;;
        esac
    done
}

run() {
    mkdir -p "$(dirname "$PGDATA")"
    write_password_file
    rm -f "$PGDATA.alone"
    drop_stale_lock
    prepare
    chmod 700 "$PGDATA"
    cat > "$PGDATA/pg_hba.conf" <<END
local      all          all                     scram-sha-256
host       all          all         samehost    scram-sha-256
$HBA_TYPE  all          all         all         scram-sha-256
$HBA_TYPE  replication  replicator  all         scram-sha-256
END
    # Twice into the background: the server must not find a child that it does not know.
    (watch $$ > /dev/null &)
    local source="host=$PEER_HOST port=$PEER_PORT user=replicator application_name=$NODE passfile=$PGPASSFILE"
    exec postgres -D "$PGDATA" -c hba_file="$PGDATA/pg_hba.conf" -c port="$PORT" -c cluster_name="$NODE" \
        -c primary_conninfo="$source" \
        -c synchronous_commit=on -c hot_standby=on -c wal_receiver_status_interval=1s \
        -c wal_retrieve_retry_interval=1s -c restart_after_crash=off "$@"
}

# --- What a person decides

promote() {
    write_password_file
    [ "$(role_of here)" = standby ] || die "this one is not a running standby: nothing was changed"
    [ "$(role_of peer)" != primary ] ||
        die "$PEER answers and is the primary: stop it first, else there would be two. Nothing was changed"
    [ "${1:-}" = --old-primary-is-off ] ||
        die "$PEER does not answer, which is no proof that it does not write. Switch it off, or its power or network," \
            "then say so: promote --old-primary-is-off. Nothing was changed"
    [ -e "$mark" ] ||
        die "no COMMIT ever waited for this copy, so that it may lack some: it cannot take over. Mend $PEER"
    say "the primary last waited for this copy at $(date -u -r "$mark" +%H:%M:%S) UTC"
    # It is alone from now on; else its first COMMIT would wait for a standby that does not exist.
    here "ALTER SYSTEM SET synchronous_standby_names = ''" > /dev/null
    here "SELECT pg_reload_conf()" > /dev/null
    [ "$(here "SELECT pg_promote(true, 120)")" = t ] || die "PostgreSQL did not end its recovery within 120 s: its log"
    # Only with it does the data say on which timeline it is, which the other one asks for.
    here "CHECKPOINT" > /dev/null
    rm -f "$mark"
    say "is the primary now, alone until $PEER is started again and follows"
}

alone() {
    write_password_file
    case $(role_of here) in
    primary)
        here "ALTER SYSTEM SET synchronous_standby_names = ''" > /dev/null
        here "SELECT pg_reload_conf()" > /dev/null
        ;;
    standby) die "this one is the standby: promote it instead. Nothing was changed" ;;
    *) touch "$PGDATA.alone" ;;
    esac
    say "goes on without $PEER: what is written until it is back exists once"
}

status() {
    write_password_file
    local role
    role=$(role_of here)
    case $role in
    primary)
        local standby demanded
        standby=$(here "SELECT application_name || ' (' || sync_state || ')' FROM pg_stat_replication")
        demanded=$(here "SHOW synchronous_standby_names")
        echo "$NODE is the primary, followed by ${standby:-nobody}${demanded:+, waits for $demanded at every COMMIT}"
        ;;
    standby)
        local receiver
        receiver=$(here "SELECT status FROM pg_stat_wal_receiver")
        echo "$NODE is the standby of $PEER, ${receiver:-which does not answer}"
        ;;
    *) echo "$NODE does not run" && return 1 ;;
    esac
}

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
initialize) initialize ;;
run) run "$@" ;;
promote) promote "$@" ;;
alone) alone ;;
status) status ;;
*)
    sed -n '2,21s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
