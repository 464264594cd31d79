#!/bin/bash
# infra/stack/cluster_up.sh DIRECTORY [PROCESS]
# Starts a cluster on this machine that keeps everything under DIRECTORY: three RabbitMQ nodes on 127.0.1.1 to
# 127.0.1.3, a PostgreSQL primary and a standby that it waits for on 127.0.1.1 and 127.0.1.2, an SFTP and an SMTP
# server. Starts what is not running and leaves alone what is; a primary that was replaced becomes the standby.
# With PROCESS everything is stopped and removed when that process has ended, however it ended.
#   ONLY="1 3" infra/stack/cluster_up.sh DIRECTORY     only these RabbitMQ nodes
# How to reach the servers is written to DIRECTORY/environment; DIRECTORY/bin has rabbitmqctl-N for each node.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
watch=
if [ "${1:-}" = --watch ]; then
    watch=$4
    set -- "$2" "$3"
fi
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 DIRECTORY [PROCESS]" >&2
    exit 2
fi
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done
case $stack in *[!A-Za-z0-9._/-]*)
    die "$stack has characters that the servers' configuration files do not take: use letters, digits, . _ and -" ;;
esac

if [ -n "$watch" ]; then
    # It has the rest of its life to stop them in the usual way; then there is nothing left to do.
    while [ -d "$stack" ] && [ "$(process_mark "$2")" = "$watch" ]; do sleep 1; done
    [ ! -d "$stack" ] || "$here/cluster_down.sh" "$stack" --remove
    exit 0
fi

write_environment() {
    local broker database port
    broker=admin:$(kept broker.password secret)
    database=postgres:$(kept database.password secret)
    port=$(port_of database)
    umask 077
    # shellcheck disable=SC2154 # servers comes from prepare_servers_directory
    cat > "$stack/environment.new" <<END
export STOCKBRIDGE_TEST_BROKER=amqp://$broker@127.0.1.1:$(port_of broker)
export STOCKBRIDGE_TEST_BROKER_MANAGEMENT=http://$broker@127.0.1.1:$(port_of management)
export STOCKBRIDGE_TEST_DATABASE=postgresql://$database@127.0.1.1:$port/postgres
export STOCKBRIDGE_TEST_FURTHER_BROKERS=127.0.1.2,127.0.1.3
export STOCKBRIDGE_TEST_FURTHER_DATABASES=127.0.1.2
export STOCKBRIDGE_TEST_SFTP_HOST=127.0.0.1
export STOCKBRIDGE_TEST_SFTP_PORT=$(port_of sftp)
export STOCKBRIDGE_TEST_SFTP_USER=$(id -un)
export STOCKBRIDGE_TEST_SFTP_KEY=$servers/sftp/client_key
export STOCKBRIDGE_TEST_SFTP_FINGERPRINT=$(host_key_fingerprint)
export STOCKBRIDGE_TEST_SFTP_DIRECTORY=$stack/sftp
export STOCKBRIDGE_TEST_SMTP_PORT=$(port_of mail)
export STOCKBRIDGE_TEST_SMTP_CONTROL=$stack/mail.control
export STOCKBRIDGE_TEST_MAIL_DIRECTORY=$stack/mail
END
    mv "$stack/environment.new" "$stack/environment"
}

mkdir -p "$stack"/{bin,log,state}
chmod 755 "$stack"
chmod 700 "$stack/state" "$stack/log"
if [ $# -eq 2 ]; then
    # Whoever reads what the process writes must not wait for the watcher: it passes nothing on.
    setsid "${BASH_SOURCE[0]}" --watch "$stack" "$2" "$(process_mark "$2")" < /dev/null > /dev/null 2>&1 &
fi
exec 9> "$stack/state/lock"
flock 9
raise_limits
prepare_servers_directory
kept cookie secret > /dev/null
# shellcheck disable=SC2086 # a list of numbers
start_brokers ${ONLY:-$cluster_nodes} &
brokers=$!
start_databases 1 2
start_sftp
start_mail
wait "$brokers" || exit 1
write_environment
say "ready: . $stack/environment"
