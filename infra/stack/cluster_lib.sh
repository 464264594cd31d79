# Functions of the local cluster: three RabbitMQ nodes, and a PostgreSQL primary with a standby. Sourced after lib.sh
# and rabbitmq.sh, never run. Node N listens on 127.0.1.N, all at the same port, as machines of a network would.
# Expects: $here, $stack, $servers.

cluster_nodes="1 2 3"
address_of() { echo "127.0.1.$1"; }
broker_name() { echo "stockbridge-$(kept node.name node_suffix)-$1@localhost"; }
answers() { (exec 3<> "/dev/tcp/$1/$2") 2> /dev/null; }

# --- RabbitMQ

# rabbitmq.sh asks for the name of the one node there is.
node_name() { broker_name "$node"; }

write_node_configuration() {
    local home=$1 address=$2 member
    (
        umask 077
        cat > "$home/rabbitmq.conf" <<END
listeners.tcp.1 = $address:$(port_of broker)
management.tcp.ip = $address
management.tcp.port = $(port_of management)
prometheus.tcp.ip = $address
prometheus.tcp.port = $(port_of broker-metrics)
default_vhost = stockbridge
default_user = admin
default_pass = $(kept broker.password secret)
default_user_tags.administrator = true
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
disk_free_limit.absolute = 100MB
raft.wal_max_size_bytes = 67108864
log.console = false
log.file.level = info
cluster_name = stockbridge
cluster_formation.peer_discovery_backend = classic_config
cluster_partition_handling = pause_minority
END
        for member in $cluster_nodes; do
            echo "cluster_formation.classic_config.nodes.$member = $(broker_name "$member")"
        done >> "$home/rabbitmq.conf"
    )
    echo '[rabbitmq_management,rabbitmq_prometheus].' > "$home/enabled_plugins"
}

node_is_up() {
    [ -s "$1/beam.pid" ] && answers "$2" "$(port_of broker)" && answers "$2" "$(port_of management)"
}

launch_node() {
    local node=$1 home=$servers/rabbitmq-$1
    if running "rabbitmq-$node" > /dev/null; then return; fi
    end "rabbitmq-script-$node" KILL 10
    mkdir -p "$home"/{home,mnesia,log,generated}
    write_broker_environment "$home" "$(port_for "distribution-$node")" "$(port_of epmd)"
    write_node_configuration "$home" "$(address_of "$node")"
    # The same for all: it is what lets a node into the cluster.
    [ -s "$home/home/.erlang.cookie" ] || (umask 377 && kept cookie secret > "$home/home/.erlang.cookie")
    rm -f "$home/beam.pid"
    give rabbitmq "$home"
    chmod 750 "$home"
    launch_broker "rabbitmq-script-$node" "$stack/log/rabbitmq-$node.log" \
        bash -c '. "$1/environment"; cd "$1"; exec /usr/lib/rabbitmq/bin/rabbitmq-server' rabbitmq "$home"
}

await_node() {
    local node=$1 home=$servers/rabbitmq-$1
    if running "rabbitmq-$node" > /dev/null; then return; fi
    await "rabbitmq-script-$node" "$stack/log/rabbitmq-$node.log" 180 node_is_up "$home" "$(address_of "$node")"
    remember "rabbitmq-$node" "$(cat "$home/beam.pid")"
    say "RabbitMQ node $node listens on $(address_of "$node"):$(port_of broker)"
}

# rabbitmqctl and rabbitmq-queues for each node: DIRECTORY/bin/rabbitmqctl-N.
write_node_tools() {
    local tool node
    for tool in rabbitmqctl rabbitmq-queues rabbitmq-diagnostics; do
        for node in $cluster_nodes; do
            cat > "$stack/bin/$tool-$node.new" <<END
#!/bin/bash
# $tool for node $node of this cluster.
set -euo pipefail
. '$servers/rabbitmq-$node/environment'
cd /
program=(/usr/lib/rabbitmq/bin/$tool)
if [ "\$(id -u)" -eq 0 ]; then program=(setpriv --reuid rabbitmq --regid rabbitmq --init-groups -- "\${program[@]}"); fi
exec ${beside[*]:+"${beside[*]@Q}"} "\${program[@]}" "\$@"
END
            chmod 755 "$stack/bin/$tool-$node.new"
            mv "$stack/bin/$tool-$node.new" "$stack/bin/$tool-$node"
        done
    done
}

# Usage: start_brokers NODE...
start_brokers() {
    local node port beside
    find_broker
    for port in broker management broker-metrics; do kept "$port.port" any_port > /dev/null; done
    if ! running epmd > /dev/null; then
        port_for epmd > /dev/null
        launch_broker epmd "$stack/log/epmd.log" epmd -port "$(port_of epmd)" -address 127.0.0.1
        await epmd "$stack/log/epmd.log" 10 answers 127.0.0.1 "$(port_of epmd)"
    fi
    write_node_tools
    # Side by side: nodes that were all stopped wait for each other.
    for node in "$@"; do launch_node "$node"; done
    for node in "$@"; do await_node "$node"; done
}

stop_brokers() {
    local node
    for node in $cluster_nodes; do
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
    # The standby first: a primary that has to stop would wait for it to be sent everything.
    end postgresql-2 INT 30
    end postgresql-1 INT 30
}
