#!/bin/bash
# infra/test-deployment.sh [BUILD]
# Tries the deployment of compose.yaml as a new user would: infra/deploy/setup.sh, then infra/deploy/up.sh with
# everything that can be wrong (each must be refused in one line, with nothing started), then right; TLS to broker and
# database, webhooks over all replicas, more and fewer replicas, a killed replica. Uses a private container engine from
# Debian's packages and packs the executables of BUILD, by default a release build that it makes. Takes everything down
# whatever happens. Needs root. With ENGINE=running it uses the engine that `docker` finds and stops none.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cd "$root"
[ $# -le 1 ] || { echo "usage: $0 [BUILD]" >&2; exit 2; }
work=$(mktemp -d)
deployment=$work/deployment
project=stockbridge-deployment-test
export DIST=dist-deployment
say() { printf '%s\n' "deployment: $*"; }
fail() { say "$*" >&2; exit 1; }
compose() { docker compose --env-file "$deployment/env" -p "$project" "$@"; }
up() { infra/deploy/up.sh --env-file "$deployment/env" -p "$project" "$@"; }
containers() { docker ps "$@" --filter "label=com.docker.compose.project=$project" --format '{{.Names}} {{.ID}}'; }

# shellcheck source=infra/test_engine.sh
. "$here/test_engine.sh"
[ -z "$own_engine" ] || claim_engine

finish() {
    local code=$?
    trap - EXIT INT TERM
    [ -z "${listener:-}" ] || kill "$listener" 2> /dev/null || true
    [ ! -e "$deployment/env" ] || compose down --volumes --remove-orphans --timeout 5 > /dev/null 2>&1 || true
    stop_engine
    rm -rf "$work" "${root:?}/$DIST"
    if [ "$code" -eq 0 ]; then say "passed"; else say "FAILED" >&2; fi
    exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM

prepare() {
    [ $# -ne 0 ] || build_executables "${executables[@]}" stockbridge
    "$here/dist.sh" "$root/$DIST" "$@"
    start_engine
    use_own_images
    export STOCKBRIDGE_IMAGE=localhost/stockbridge:deployment-test
    export HTTPS_BIND=127.0.0.1 HTTPS_PORT MANAGEMENT_PORT=0
    # shellcheck source=infra/stack/lib.sh
    HTTPS_PORT=$(. "$here/stack/lib.sh"; any_port)
    build_image migrate
}

set_up() {
    "$here/deploy/setup.sh" "$deployment" > /dev/null
    local before
    before=$(find "$deployment" -type f -exec sha256sum {} + | sort)
    "$here/deploy/setup.sh" "$deployment" | grep -q 'nothing was changed' || fail "set up twice, it changes something"
    [ "$before" = "$(find "$deployment" -type f -exec sha256sum {} + | sort)" ] || fail "set up twice, a file differs"
    [ "$(stat -c %a "$deployment/secrets")" = 700 ] || fail "others can look into secrets"
    cp -a "$deployment/secrets" "$work/secrets"
}
restore_secrets() {
    rm -rf "$deployment/secrets"
    cp -a "$work/secrets" "$deployment/secrets"
}

# The start must fail, with one line that has WORDS, and leave what is there as it is. Usage: refused WHAT WORDS
refused() {
    local before code=0
    before=$(containers -a | sort)
    up > "$work/said" 2>&1 || code=$?
    [ "$code" -eq 1 ] || fail "$1: it ended with $code instead of 1: $(cat "$work/said")"
    [ "$(wc -l < "$work/said")" -eq 1 ] || fail "$1: it is not said in one line: $(cat "$work/said")"
    grep -qF -- "$2" "$work/said" || fail "$1: the line does not say '$2': $(cat "$work/said")"
    [ "$before" = "$(containers -a | sort)" ] || fail "$1: something was started or replaced"
    say "refused: $(cat "$work/said")"
}

refuse_before_the_first_start() {
    MINIMUM_MEMORY_MIB=99999999 refused "too little memory" "MiB of memory"
    python3 -m http.server "$HTTPS_PORT" --bind 127.0.0.1 > /dev/null 2>&1 &
    listener=$!
    for _ in $(seq 50); do if (exec 3<> "/dev/tcp/127.0.0.1/$HTTPS_PORT") 2> /dev/null; then break; fi; sleep 0.1; done
    refused "a port that is taken" "Port $HTTPS_PORT is taken"
    kill "$listener"
    wait "$listener" 2> /dev/null || true
    listener=""
    mv "$deployment/stockbridge.yaml" "$work/"
    refused "no configuration" "stockbridge.yaml does not exist"
    mv "$work/stockbridge.yaml" "$deployment/"
    rm -r "$deployment/secrets/notifier"
    refused "secrets of a service missing" "secrets/notifier does not exist"
    rm -r "$deployment/secrets"
    refused "no secrets" "secrets does not exist"
    restore_secrets
    rm "$deployment/secrets/postgres/server.key"
    refused "a secret missing" "postgres/server.key is missing"
    restore_secrets
}

# Somebody else's tables in the database: migrate says so, and no service starts. Then everything as it should be.
refuse_a_foreign_database() {
    compose up -d --wait postgres > /dev/null 2>&1
    compose exec -T postgres psql -q -c 'CREATE DATABASE stockbridge'
    compose exec -T postgres psql -q -d stockbridge -c 'CREATE TABLE customers (name text)'
    if up > "$work/said" 2>&1; then fail "it started on a database of somebody else"; fi
    grep -F 'customers' "$work/said" || fail "the foreign table is not named: $(tail -n 5 "$work/said")"
    [ -z "$(compose ps -q stock-publisher notifier)" ] || fail "services run on a database of somebody else"
    compose exec -T postgres psql -q -c 'DROP DATABASE stockbridge'
}

start() {
    up > "$work/said" 2>&1 || { tail -n 20 "$work/said" >&2; fail "the deployment did not start"; }
    say "$(tail -n 1 "$work/said")"
    local code=0
    compose run --rm -T stockbridge status < /dev/null > "$work/said" 2>&1 || code=$?
    # 3: something needs attention, as in a deployment that has just begun.
    [ "$code" -eq 0 ] || [ "$code" -eq 3 ] || fail "status ended with $code: $(cat "$work/said")"
    grep -q stock-publisher "$work/said" || fail "status names no service: $(cat "$work/said")"
}

check_encryption() {
    local plain
    plain=$(compose exec -T postgres psql -qAt -c "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE client_addr IS NOT NULL")
    [[ $plain =~ ^[1-9][0-9]*\|0$ ]] || fail "connections to the database, encrypted|not: $plain"
    if compose exec -T postgres psql "host=postgres sslmode=disable" -c '' > "$work/said" 2>&1; then
        fail "the database takes an unencrypted connection"
    fi
    grep -q 'no encryption' "$work/said" || fail "the database refuses for another reason: $(cat "$work/said")"
    compose exec -T rabbitmq rabbitmqctl -q list_connections ssl | sort | uniq -c > "$work/said"
    grep -q true "$work/said" || fail "nobody is connected to the broker"
    if grep -q false "$work/said"; then fail "an unencrypted connection to the broker: $(cat "$work/said")"; fi
    say "encrypted connections: $plain to the database (encrypted|not), $(grep true "$work/said" | xargs) to the broker"
}

healthy() { compose ps --format '{{.Health}}' "$1" | grep -cx healthy || true; }

call() { curl -sk -o /dev/null -w '%{http_code}\n' "$@" "https://127.0.0.1:$HTTPS_PORT/webhooks/none"; }

check_replicas() {
    local pid container answers
    up --scale stock-publisher=4 --scale erp-bridge=3 --scale order-collector=3 > "$work/said" 2>&1 ||
        { tail -n 20 "$work/said" >&2; fail "more replicas did not start"; }
    grep -q 'made anew' "$work/said" || fail "secrets were replaced, and the containers were not"
    [ "$(healthy stock-publisher) $(healthy erp-bridge)" = "4 3" ] || fail "not all replicas are healthy"
    # nginx asks for the replicas' addresses again after five seconds.
    for _ in $(seq 60); do
        call -X POST -d '{}' > /dev/null
        answers=$(compose logs --no-log-prefix nginx | awk '$NF ~ /:8090$/ { print $NF }' | sort -u | wc -l)
        [ "$answers" -lt 3 ] || break
        sleep 0.5
    done
    [ "$answers" -ge 3 ] || fail "webhooks reach $answers of 3 replicas"
    [ "$(call)" = 405 ] || fail "nginx passes on what is no webhook"
    container=$(compose ps -q stock-publisher | sed -n 2p)
    pid=$(docker inspect --format '{{.State.Pid}}' "$container")
    kill -KILL "$pid"
    for _ in $(seq 300); do
        if [ "$(docker inspect --format '{{.RestartCount}}' "$container")" = 1 ] &&
            [ "$(healthy stock-publisher)" = 4 ]; then break; fi
        sleep 0.3
    done
    [ "$(healthy stock-publisher)" = 4 ] || fail "the killed replica did not come back"
    [ "$(docker inspect --format '{{.State.Pid}}' "$container")" != "$pid" ] || fail "nothing was killed"
    # Fewer replicas while webhooks come in: none may find a replica that has gone.
    (for _ in $(seq 40); do call -X POST -d '{}'; sleep 0.1; done > "$work/answers") &
    up > "$work/said" 2>&1 || fail "fewer replicas did not start"
    wait $!
    [ "$(sort -u "$work/answers")" = 404 ] || fail "answers while replicas left: $(sort "$work/answers" | uniq -c)"
    say "4, 3 and 3 replicas, one killed and back, webhooks over all of them; back to one without a lost webhook"
}

# What a running deployment must survive: a start with the wrong things leaves it as it is.
refuse_while_running() {
    local volume
    rm "$deployment/secrets"/{postgres/password,migrate/database-admin}
    "$here/deploy/setup.sh" "$deployment" > /dev/null
    refused "other secrets than the database's" "made with another password"
    restore_secrets
    rm "$deployment/secrets"/{rabbitmq/admin.conf,migrate/broker-admin}
    "$here/deploy/setup.sh" "$deployment" > /dev/null
    refused "other secrets than the broker's" "made with another admin.conf"
    restore_secrets
    volume=$(docker volume inspect "${project}_postgres" --format '{{.Mountpoint}}')
    cp "$volume/PG_VERSION" "$work/version"
    echo 14 > "$volume/PG_VERSION"
    refused "a database of another version" "written by PostgreSQL 14"
    cp "$work/version" "$volume/PG_VERSION"
    volume=$(docker volume inspect "${project}_rabbitmq" --format '{{.Mountpoint}}')
    cp "$volume/stockbridge-version" "$work/version"
    echo 3.7.28 > "$volume/stockbridge-version"
    refused "a broker of another version" "written by RabbitMQ 3.7"
    cp "$work/version" "$volume/stockbridge-version"
}

prepare "$@"
set_up
refuse_before_the_first_start
refuse_a_foreign_database
start
check_encryption
refuse_while_running
check_replicas
