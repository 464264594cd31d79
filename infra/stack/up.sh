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

case $stack in *[!A-Za-z0-9._/-]*)
    die "$stack has characters that the servers' configuration files do not take: use letters, digits, . _ and -" ;;
esac

write_environment() {
    local broker database
    broker=admin:$(kept broker.password secret)
    database=postgres:$(kept database.password secret)
    umask 077
    # shellcheck disable=SC2154 # servers comes from prepare_servers_directory
    cat > "$stack/environment.new" <<END
export STOCKBRIDGE_TEST_BROKER=amqp://$broker@127.0.0.1:$(port_of broker)
export STOCKBRIDGE_TEST_BROKER_MANAGEMENT=http://$broker@127.0.0.1:$(port_of management)
export STOCKBRIDGE_TEST_BROKER_METRICS=http://127.0.0.1:$(port_of broker-metrics)/metrics
export STOCKBRIDGE_TEST_RABBITMQCTL=$stack/bin/rabbitmqctl
export STOCKBRIDGE_TEST_DATABASE=postgresql://$database@127.0.0.1:$(port_of database)/postgres
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
exec 9> "$stack/state/lock"
flock -n 9 || { say "another up.sh or down.sh is at work on $stack: waiting for it"; flock 9; }
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
