# PostgreSQL of the local stack. Sourced by up.sh and down.sh.

find_postgresql() {
    local directory
    for directory in /usr/lib/postgresql/*/bin; do
        if [ -x "$directory/postgres" ]; then pg_bin=$directory; fi
    done
    [ -n "${pg_bin:-}" ] || die "PostgreSQL is missing (Debian package postgresql-15): run infra/install.sh stack"
}

create_database_cluster() {
    local home=$1 password_file=$1/password.initdb
    say "creating the PostgreSQL cluster"
    rm -rf "$home/data"
    (umask 077 && kept database.password secret > "$password_file" && echo >> "$password_file")
    give postgres "$password_file"
    as postgres "$pg_bin/initdb" --pgdata="$home/data.new" --username=postgres --pwfile="$password_file" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > "$home/initdb.log" 2>&1 ||
        { tail -n 20 "$home/initdb.log" >&2; die "initdb failed"; }
    rm -f "$password_file"
    # Whole or not at all: a cluster that was interrupted half-way never gets its final name.
    mv "$home/data.new" "$home/data"
}

# A machine that was switched off leaves a lock file whose process number may belong to anybody now.
drop_stale_database_lock() {
    local lock=$1/postmaster.pid pid
    [ -s "$lock" ] || return 0
    pid=$(head -n 1 "$lock")
    if [ "$(readlink "/proc/$pid/cwd" 2> /dev/null)" != "$1" ]; then
        rm -f "$lock"
        return 0
    fi
    # Ours, but started by an up.sh that was killed before it wrote the number down.
    remember postgresql "$pid"
}

start_postgresql() {
    local home=$servers/postgresql
    find_postgresql
    mkdir -p "$home"
    chmod 711 "$home"
    give postgres "$home"
    if [ ! -s "$home/data/PG_VERSION" ]; then
        rm -rf "$home/data.new"
        create_database_cluster "$home"
    fi
    drop_stale_database_lock "$home/data"
    if running postgresql > /dev/null; then return; fi

    local port
    port=$(port_for database)
    # Durable like in earnest (fsync, synchronous_commit): tests of lost messages would prove nothing otherwise.
    cat > "$home/stack.conf" <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 400
shared_buffers = 128MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
fsync = on
synchronous_commit = on
full_page_writes = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
END
    chmod 644 "$home/stack.conf"
    launch_as postgres postgresql "$stack/log/postgresql.log" \
        "$pg_bin/postgres" -D "$home/data" -c config_file="$home/stack.conf"
    await postgresql "$stack/log/postgresql.log" 60 "$pg_bin/pg_isready" -q -h 127.0.0.1 -p "$port"
    say "PostgreSQL listens on 127.0.0.1:$port"
}

stop_postgresql() { end postgresql INT 30; }
