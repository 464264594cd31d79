# Functions of the local cluster: three RabbitMQ nodes, and a PostgreSQL primary with a standby. Sourced after lib.sh
# and rabbitmq.sh, never run. Node N listens on 127.0.1.N, all at the same port, as machines of a network would.
# Expects: $here, $stack, $servers.

cluster_nodes="1 2 3"
address_of() { echo "127.0.1.$1"; }
broker_name() { echo "stockbridge-$(kept node.name node_suffix)-$1@localhost"; }

# --- RabbitMQ

# rabbitmq.sh asks for the name of the one node there is.
node_name() { broker_name "$node"; }

# Usage: write_node_configuration HOME ADDRESS
write_node_configuration() {
    local member
    write_broker_configuration "$1" "$2"
    {
        cat <<END
cluster_name = stockbridge
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
END
        for member in $cluster_nodes; do
            echo "cluster_formation.classic_config.nodes.$member = $(broker_name "$member")"
        done
    } >> "$1/rabbitmq.conf"
}

launch_node() {
    local node=$1 home=$servers/rabbitmq-$1
    if running "rabbitmq-$node" > /dev/null; then return; fi
    end "rabbitmq-script-$node" KILL 10
    mkdir -p "$home"/{home,mnesia,log,generated}
    write_broker_environment "$home" "$(port_for "distribution-$node")" "$(port_of epmd)"
    write_node_configuration "$home" "$(address_of "$node")"
    launch_broker_server "rabbitmq-script-$node" "$stack/log/rabbitmq-$node.log" "$home"
}

# A node that paused because it saw no majority starts by itself when it sees one, and tries once. Where another node
# is in the first moments of its own start just then, it fails ("BOOT FAILED ... incompatible_feature_flags"), and the
# others wait for what only it knows. An operator then says start_app, see docs/operations.md; here the script does.
unpause_nodes() {
    local member
    [ "$SECONDS" -ge "$unpause_at" ] || return 0
    for member in $cluster_nodes; do
        if running "rabbitmq-$member" > /dev/null && ! answers "$(address_of "$member")" "$(port_of broker)"; then
            timeout 60 "$stack/bin/rabbitmqctl-$member" start_app && unpaused="${unpaused:-} $member"
        fi
    done
    unpause_at=$((SECONDS + 15))
}

node_is_up() {
    broker_is_up "$servers/rabbitmq-$1" "$(address_of "$1")" && return 0
    unpause_nodes
    return 1
}

await_node() {
    local node=$1 home=$servers/rabbitmq-$1
    if running "rabbitmq-$node" > /dev/null; then return; fi
    await "rabbitmq-script-$node" "$stack/log/rabbitmq-$node.log" 180 node_is_up "$node"
    remember "rabbitmq-$node" "$(cat "$home/beam.pid")"
    say "RabbitMQ node $node listens on $(address_of "$node"):$(port_of broker)"
}

# Usage: start_brokers NODE...
start_brokers() {
    # shellcheck disable=SC2034 # for rabbitmq.sh
    local node port beside
    find_broker
    for port in broker management broker-metrics; do kept "$port.port" any_port > /dev/null; done
    if ! running epmd > /dev/null; then
        port_for epmd > /dev/null
        start_epmd
    fi
    # For each node its own, whichever are started: DIRECTORY/bin/rabbitmqctl-N.
    for node in $cluster_nodes; do write_broker_tools "$servers/rabbitmq-$node" "-$node"; done
    # Side by side: nodes that were all stopped wait for each other.
    for node in "$@"; do launch_node "$node"; done
    # Later than any node needs by itself.
    unpause_at=$((SECONDS + 45)) unpaused=
    for node in "$@"; do await_node "$node"; done
    [ -z "$unpaused" ] || say "RabbitMQ node$unpaused did not end its pause by itself: told it to, with start_app"
}

# What a test has stopped (SIGSTOP) hears no other signal until it goes on. Usage: wake NAME
wake() {
    local pid
    pid=$(running "$1") || return 0
    # shellcheck disable=SC2046 # numbers
    kill -CONT $(cat "/proc/$pid/task/$pid/children") "$pid" 2> /dev/null || true
}

stop_brokers() {
    local node
    for node in $cluster_nodes; do
        wake "rabbitmq-$node"
        end "rabbitmq-$node" TERM 60 &
    done
    wait
    for node in $cluster_nodes; do end "rabbitmq-script-$node" TERM 10; done
    end epmd TERM 10
}

# --- PostgreSQL

# postgres-node.sh as one of the two. Usage: database_node NODE COMMAND...
database_node() {
    local node=$1 peer=$((3 - $1)) home=$servers/postgresql-$1
    shift
    database_command=(env NODE="postgres-$node" PEER="postgres-$peer" HOST="$(address_of "$node")"
        PEER_HOST="$(address_of "$peer")" PORT="$(port_of database)" PGDATA="$home/data"
        PASSWORD_FILE="$home/password" REPLICATION_PASSWORD_FILE="$home/replication.password"
        "$home/postgres-node.sh" "$@")
}

launch_database() {
    local node=$1 home=$servers/postgresql-$1
    if running "postgresql-$node" > /dev/null; then return; fi
    mkdir -p "$home"
    (umask 077 && kept database.password secret > "$home/password" && echo >> "$home/password")
    (umask 077 && kept replication.password secret > "$home/replication.password")
    # A copy: the server's account may not be able to read where the scripts lie.
    install -m 755 "$here/../cluster/postgres-node.sh" "$home/postgres-node.sh"
    give postgres "$home"
    chmod 711 "$home"
    if [ "$node" = 1 ] && [ ! -e "$servers/postgresql-2" ] && [ ! -e "$home/data" ]; then
        database_node "$node" initialize
        (cd "$home" && as postgres "${database_command[@]}")
    fi
    database_node "$node" run -c listen_addresses="$(address_of "$node")" -c unix_socket_directories= \
        -c max_connections=400 -c shared_buffers=128MB -c max_wal_size=1GB -c checkpoint_timeout=15min \
        -c random_page_cost=1.1 -c jit=off -c timezone=UTC -c log_timezone=UTC -c log_parameter_max_length=0 \
        -c log_parameter_max_length_on_error=0 -c log_line_prefix='%m [%p] %q%u@%d %a '
    launch_as postgres "postgresql-$node" "$stack/log/postgresql-$node.log" "${database_command[@]}"
}

database_status() {
    database_node "$1" status
    as postgres "${database_command[@]}"
}
database_is_confirmed() { database_status "$1" 2> /dev/null | grep -q "(sync), waits for"; }

# Both, until the primary waits for the standby. Usage: start_databases NODE...
start_databases() {
    local node
    kept database.port any_port > /dev/null
    for node in "$@"; do launch_database "$node"; done
    if [ $# -eq 1 ]; then
        await "postgresql-$1" "$stack/log/postgresql-$1.log" 60 database_status "$1"
        return
    fi
    local deadline=$((SECONDS + 90))
    until database_is_confirmed 1 || database_is_confirmed 2; do
        for node in "$@"; do
            running "postgresql-$node" > /dev/null || launch_database "$node"
        done
        [ "$SECONDS" -lt "$deadline" ] || die "no primary waits for a standby within 90 s: see $stack/log"
        sleep 0.3
    done
    say "PostgreSQL listens on $(address_of 1):$(port_of database) and $(address_of 2):$(port_of database)"
}

stop_databases() {
    wake postgresql-1
    wake postgresql-2
    # The standby first: a primary that has to stop would wait for it to be sent everything.
    end postgresql-2 INT 30
    end postgresql-1 INT 30
}
