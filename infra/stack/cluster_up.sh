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
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 DIRECTORY [PROCESS]" >&2
    exit 2
fi
stack=$(realpath -m "$1")
for part in lib rabbitmq cluster_lib sftp mail; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done

server_environment() {
    local broker database
    broker=admin:$(kept broker.password secret)
    database=postgres:$(kept database.password secret)
    cat <<END
export STOCKBRIDGE_TEST_BROKER=amqp://$broker@127.0.1.1:$(port_of broker)
export STOCKBRIDGE_TEST_BROKER_MANAGEMENT=http://$broker@127.0.1.1:$(port_of management)
export STOCKBRIDGE_TEST_DATABASE=postgresql://$database@127.0.1.1:$(port_of database)/postgres
export STOCKBRIDGE_TEST_FURTHER_BROKERS=127.0.1.2,127.0.1.3
export STOCKBRIDGE_TEST_FURTHER_DATABASES=127.0.1.2
END
}

prepare_stack_directory
if [ $# -eq 2 ]; then remove_after "$2" cluster_down.sh; fi
lock_stack
raise_limits
prepare_servers_directory
# shellcheck disable=SC2086 # a list of numbers
start_brokers ${ONLY:-$cluster_nodes} &
brokers=$!
start_databases 1 2
start_sftp
start_mail
wait "$brokers" || exit 1
write_environment
say "ready: . $stack/environment"
