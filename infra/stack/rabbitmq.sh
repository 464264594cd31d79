# RabbitMQ of the local stack. Sourced by up.sh and down.sh.
# STOCKBRIDGE_RABBITMQ_ROOT names the place where rabbitmq4.sh unpacked another one than the system's. A stack keeps to
# the broker that it was first started with, for none can read what one of another series wrote.

wanted_root() { realpath -m "${STOCKBRIDGE_RABBITMQ_ROOT:-/}"; }

# What runs a command where the broker's programs are: put before it. Sets the array `beside`.
find_broker() {
    local root
    root=$(kept broker.root wanted_root)
    if [ -n "${STOCKBRIDGE_RABBITMQ_ROOT:-}" ] && [ "$(wanted_root)" != "$root" ]; then
        die "the broker of $stack is that of $root: stop the stack with down.sh --remove before it gets another"
    fi
    beside=()
    if [ "$root" = / ]; then
        needs /usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server
    else
        [ -x "$root/usr/lib/rabbitmq/bin/rabbitmq-server" ] ||
            die "there is no broker in $root: run infra/stack/rabbitmq4.sh $root"
        # shellcheck disable=SC2154 # here comes from up.sh
        beside=("$here/beside.sh" "$root")
        "${beside[@]}" true || die "the broker of $root needs the right to mount, which this machine does not give"
    fi
}

# The environment every RabbitMQ program of this stack runs with: nothing of the system's own broker is read or written.
write_broker_environment() {
    cat > "$1/environment" <<END
export HOME=$1/home
export LANG=C.UTF-8
export RABBITMQ_BASE=$1
export RABBITMQ_CONF_ENV_FILE=$1/rabbitmq-env.conf
export RABBITMQ_CONFIG_FILE=$1/rabbitmq.conf
export RABBITMQ_ADVANCED_CONFIG_FILE=$1/advanced.config
export RABBITMQ_ENABLED_PLUGINS_FILE=$1/enabled_plugins
export RABBITMQ_GENERATED_CONFIG_DIR=$1/generated
export RABBITMQ_MNESIA_BASE=$1/mnesia
export RABBITMQ_LOG_BASE=$1/log
export RABBITMQ_PID_FILE=$1/beam.pid
export RABBITMQ_NODENAME=$(node_name)
export RABBITMQ_DIST_PORT=$2
export ERL_EPMD_PORT=$3
export ERL_EPMD_ADDRESS=127.0.0.1
# Idle schedulers sleep at once, for the machine is shared with builds and tests.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+sbwt none +sbwtdcpu none +sbwtdio none \
    -kernel inet_dist_use_interface {127,0,0,1}'
END
    : > "$1/rabbitmq-env.conf"
}

# What a broker of a stack and a node of a cluster have in common. Their ports are known by now.
# Usage: write_broker_configuration HOME ADDRESS
write_broker_configuration() {
    (
        umask 077
        cat > "$1/rabbitmq.conf" <<END
listeners.tcp.1 = $2:$(port_of broker)
management.tcp.ip = $2
management.tcp.port = $(port_of management)
prometheus.tcp.ip = $2
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
END
    )
    # Written by hand, which is what "enable --offline" would do, without starting an Erlang for it.
    echo '[rabbitmq_management,rabbitmq_prometheus].' > "$1/enabled_plugins"
}

node_name() { echo "stockbridge-$(kept node.name node_suffix)@localhost"; }
node_suffix() { printf '%s' "$stack" | sha256sum | cut -c1-8; }

# Usage: write_broker_tools HOME [SUFFIX OF THE TOOLS' NAMES]
write_broker_tools() {
    local tool name
    for tool in rabbitmqctl rabbitmq-diagnostics rabbitmq-queues; do
        name=$tool${2:-}
        cat > "$stack/bin/$name.new" <<END
#!/bin/bash
# $tool for the broker in $1.
set -euo pipefail
. '$1/environment'
cd /
program=(/usr/lib/rabbitmq/bin/$tool)
if [ "\$(id -u)" -eq 0 ]; then program=(setpriv --reuid rabbitmq --regid rabbitmq --init-groups -- "\${program[@]}"); fi
exec ${beside[*]@Q} "\${program[@]}" "\$@"
END
        chmod 755 "$stack/bin/$name.new"
        mv "$stack/bin/$name.new" "$stack/bin/$name"
    done
}

# Starts a program of the broker in the background. Usage: launch_broker NAME LOG COMMAND...
launch_broker() {
    local name=$1 log=$2 account=()
    shift 2
    if [ "$(id -u)" -eq 0 ]; then account=(setpriv --reuid rabbitmq --regid rabbitmq --init-groups --); fi
    launch "$name" "$log" "${beside[@]}" "${account[@]}" "$@"
}

# A port mapper of our own, so that none is left running for the whole machine.
start_epmd() {
    launch_broker epmd "$stack/log/epmd.log" epmd -port "$(port_of epmd)" -address 127.0.0.1
    await epmd "$stack/log/epmd.log" 10 answers 127.0.0.1 "$(port_of epmd)"
}

# Starts the server whose configuration is written. Usage: launch_broker_server NAME LOG HOME
launch_broker_server() {
    local name=$1 log=$2 home=$3
    # The same for all nodes: it is what lets them into one cluster.
    [ -s "$home/home/.erlang.cookie" ] || (umask 377 && kept cookie secret > "$home/home/.erlang.cookie")
    rm -f "$home/beam.pid"
    give rabbitmq "$home"
    chmod 750 "$home"
    # shellcheck disable=SC2016 # the inner shell's own
    launch_broker "$name" "$log" \
        bash -c '. "$1/environment"; cd "$1"; exec /usr/lib/rabbitmq/bin/rabbitmq-server' rabbitmq "$home"
}

# The Erlang machine writes its number itself; the script around it only waits for it. Usage: broker_is_up HOME ADDRESS
broker_is_up() {
    [ -s "$1/beam.pid" ] && answers "$2" "$(port_of broker)" && answers "$2" "$(port_of management)"
}

start_rabbitmq() {
    local home=$servers/rabbitmq port
    local beside
    find_broker
    if running rabbitmq > /dev/null && running rabbitmq-script > /dev/null && running epmd > /dev/null; then return; fi
    # Half of it is left over: end that half in good order.
    stop_rabbitmq

    mkdir -p "$home"/{home,mnesia,log,generated}
    for port in broker management broker-metrics; do port_for "$port" > /dev/null; done
    write_broker_environment "$home" "$(port_for distribution)" "$(port_for epmd)"
    write_broker_configuration "$home" 127.0.0.1
    write_broker_tools "$home"
    start_epmd
    launch_broker_server rabbitmq-script "$stack/log/rabbitmq.log" "$home"
    await rabbitmq-script "$stack/log/rabbitmq.log" 120 broker_is_up "$home" 127.0.0.1
    remember rabbitmq "$(cat "$home/beam.pid")"
    say "RabbitMQ listens on 127.0.0.1:$(port_of broker), its management on 127.0.0.1:$(port_of management)"
}

stop_rabbitmq() {
    end rabbitmq TERM 60
    end rabbitmq-script TERM 10
    end epmd TERM 10
}
