#!/bin/bash
# infra/stack/up.sh DIRECTORY
# Starts private servers on 127.0.0.1 that keep everything under DIRECTORY: RabbitMQ, PostgreSQL, an SFTP server and an
# SMTP server that keeps the mail. Starts what is not running and leaves alone what is, so it may be called at any time;
# after a crash or a reboot it picks up what is on the disk. How to reach them is written to DIRECTORY/environment.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 2; }
stack=$(realpath -m "$1")
for part in lib postgresql rabbitmq sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

server_environment() {
    local broker database
    broker=admin:$(kept broker.password secret)
    database=postgres:$(kept database.password secret)
    cat <<END
export STOCKBRIDGE_TEST_BROKER=amqp://$broker@127.0.0.1:$(port_of broker)
export STOCKBRIDGE_TEST_BROKER_MANAGEMENT=http://$broker@127.0.0.1:$(port_of management)
export STOCKBRIDGE_TEST_BROKER_METRICS=http://127.0.0.1:$(port_of broker-metrics)/metrics
export STOCKBRIDGE_TEST_RABBITMQCTL=$stack/bin/rabbitmqctl
export STOCKBRIDGE_TEST_DATABASE=postgresql://$database@127.0.0.1:$(port_of database)/postgres
END
}

prepare_stack_directory
lock_stack
raise_limits
prepare_servers_directory
# The slow one goes first and starts in the background.
start_rabbitmq &
broker_start=$!
start_postgresql
start_sftp
start_mail
wait "$broker_start" || exit 1
write_environment
say "ready: . $stack/environment"
