#!/bin/bash
# infra/test-containers.sh [--build DIRECTORY] [--old DIRECTORY] [--engine]
# Plays the demo's business day in containers while replicas and the broker are killed, services scaled up and down, and
# everything upgraded, and checks that nothing was lost. Starts a private engine from Debian's packages, builds the
# images, runs the deployment of compose.yaml, and takes all of it down, whatever happens. Needs root and Debian 12.
#   --build DIRECTORY  packs the executables of that build instead of building them in release
#   --old DIRECTORY    the day begins with the executables of this build, those of an older version, such as
#                      infra/old-programs.sh makes, and is upgraded to the others; without it both are the same program
#   --engine           uses the engine that DOCKER_HOST names instead of a private one, as ENGINE=running does
# SKUS is the size of the catalogue (6000), PACE the calls a second at each shop (20). Keeps .build-containers/*.log.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
cd "$root"
build="" old=""
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=${2:?--build wants a directory} && shift 2 ;;
    --old) old=${2:?--old wants a directory} && shift 2 ;;
    --engine) ENGINE=running && shift ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
    esac
done
work=$root/.build-containers
demo=$work/demo
export DIST=dist-containers
project=stockbridge-test
# Replicas: what the day begins with.
declare -A replicas=([stock-ingestor]=1 [stock-publisher]=3 [order-collector]=2 [erp-bridge]=2 [reconciler]=1
    [notifier]=1)
declare -A ports=([stock-publisher]=8082 [order-collector]=8084 [erp-bridge]=8085)
declare -A kills=()
day="" began=$SECONDS events=()
say() { printf '%s\n' "containers: $*"; }
die() { say "$*" >&2; exit 1; }
compose() { docker compose --env-file "$demo/env" -p "$project" "$@"; }
# shellcheck source=infra/test_engine.sh
. "$here/test_engine.sh"
[ -z "$own_engine" ] || claim_engine

finish() {
    local code=$?
    trap - EXIT INT TERM
    # A signal may have come while a function's output went to a file.
    exec 1>&7 2>&7
    if [ -e "$demo/env" ]; then
        compose --profile demo logs --no-color --timestamps > "$work/services.log" 2>&1 || true
        [ "$code" -eq 0 ] || compose ps -a > "$work/containers.log" 2>&1 || true
        compose --profile demo --profile day down --volumes --remove-orphans --timeout 5 > /dev/null 2>&1 ||
            say "what was started could not be taken down" >&2
    fi
    [ -z "$day" ] || wait "$day" 2> /dev/null || true
    stop_engine
    rm -rf "$demo" "${root:?}/$DIST"
    if [ "$code" -eq 0 ]; then say "passed"; else
        [ ! -s "$work/day.log" ] || tail -n 25 "$work/day.log" >&2
        say "FAILED; the logs are in ${work#"$root/"}" >&2
    fi
    exit "$code"
}

build_images() {
    use_own_images
    export DEMO_IMAGE=localhost/stockbridge-demo:test
    [ -z "$old" ] || build_version new "$build"
    build_version old "${old:-$build}"
    [ -n "$old" ] || docker tag localhost/stockbridge:old localhost/stockbridge:new
    # The day is played with the operator's tool that it begins with: an older one works with the newer database, too.
    build_image night
}
use_version() { export STOCKBRIDGE_IMAGE=localhost/stockbridge:$1; }
build_version() {
    use_version "$1"
    "$here/dist.sh" "$root/$DIST" "$2"
    build_image stock-ingestor
}

scales() {
    local service
    for service in "${!replicas[@]}"; do printf '%s\n' --scale "$service=${replicas[$service]}"; done
}
start_all() {
    local options
    mapfile -t options < <(scales)
    compose up -d --no-build --pull never --wait --wait-timeout 600 "${options[@]}" > "$work/up.log" 2>&1 || {
        tail -n 20 "$work/up.log" >&2
        die "the deployment did not start"
    }
}
# Brings one service to its number of replicas, of the version that is set, and leaves the others alone. With
# --no-recreate those that run go on as they are. Usage: renew SERVICE [--no-recreate]
renew() {
    compose up -d --no-build --pull never --no-deps --wait --wait-timeout 300 --scale "$1=${replicas[$1]}" "${@:2}" \
        "$1" >> "$work/up.log" 2>&1 || { tail -n 20 "$work/up.log" >&2; die "$1 did not get ready"; }
}

# Waits until the day has come to a line. Usage: day_reaches SECONDS TEXT
day_reaches() {
    local end=$((SECONDS + $1))
    until grep -qF "$2" "$work/day.log"; do
        kill -0 "$day" 2> /dev/null || die "the day ended before: $2"
        [ "$SECONDS" -lt "$end" ] || die "the day did not come to this within $1 s: $2"
        sleep 0.2
    done
}

containers_of() { compose ps -q "$1" | sort; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }

# Ends the process of a container as a crash would; the engine has to bring it back. Usage: kill_one SERVICE [NUMBER]
kill_one() {
    local container name pid started end=$((SECONDS + 300))
    container=$(containers_of "$1" | sed -n "${2:-1}p")
    pid=$(docker inspect --format '{{.State.Pid}}' "$container")
    started=$(docker inspect --format '{{.State.StartedAt}}' "$container")
    name=$(docker inspect --format '{{slice .Name 1}}' "$container")
    kills[$name]=$((${kills[$name]:-0} + 1))
    kill -KILL "$pid"
    until [ "$(docker inspect --format '{{.State.StartedAt}}' "$container")" != "$started" ] &&
        is_healthy "$container"; do
        [ "$SECONDS" -lt "$end" ] || die "$1 was killed and did not come back within 300 s"
        sleep 0.3
    done
    event "killed $name (SIGKILL); it came back"
}
# What ended without having been killed, since its container was made: nothing should.
check_restarts() {
    local container name count
    for container in $(compose ps -q); do
        read -r name count <<< "$(docker inspect --format '{{slice .Name 1}} {{.RestartCount}}' "$container")"
        [ "$count" -le "${kills[$name]:-0}" ] || die "$name ended $count times and was killed ${kills[$name]:-0} times"
    done
}
event() {
    events+=("$*")
    say "$*"
}

# How many messages each replica of a service has handled since it started: NAME COUNT
handled() {
    local container
    for container in $(containers_of "$1"); do
        docker inspect --format '{{slice .Name 1}}' "$container" | tr '\n' ' '
        # shellcheck disable=SC2016 # the container's shell reads $1
        docker exec "$container" bash -c 'exec 3<> "/dev/tcp/127.0.0.1/$1"; cat <&3 &
            printf "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" >&3; wait' _ "${ports[$1]}" |
            awk '/^messaging_client_consumed_messages_total/ && /result="done"/ { sum += $NF } END { print sum + 0 }'
    done
}
all_work() {
    local figures
    figures=$(handled "$1") || return 1
    ! grep -q ' 0$' <<< "$figures"
}
# Waits until every replica has done some of the work, and keeps the figures. Usage: check_spread TITLE
check_spread() {
    local service end
    for service in "${!ports[@]}"; do
        end=$((SECONDS + 180))
        until all_work "$service"; do
            [ "$SECONDS" -lt "$end" ] || { handled "$service" >&2; die "a replica of $service did nothing ($1)"; }
            sleep 1
        done
        handled "$service" | awk -v title="$1" '{ printf "   %-36s %8d   %s\n", $1, $2, title }' >> "$work/spread"
    done
}

# One service after the other, as an operator would, with the work going on.
upgrade() {
    local service
    use_version new
    compose run --rm --no-deps -T migrate < /dev/null >> "$work/up.log" 2>&1 || die "the new version's migrate failed"
    for service in "${executables[@]}"; do
        renew "$service"
        event "upgraded $service (${replicas[$service]} replicas)"
    done
}

disturb() {
    day_reaches 1800 "so all five shops are let go"
    kill_one stock-publisher 1
    day_reaches 1800 "the busy hour"
    check_spread "before the kills"
    kill_one stock-publisher 2
    kill_one order-collector 1
    kill_one rabbitmq
    kill_one postgres
    replicas[stock-publisher]=5 replicas[erp-bridge]=3
    renew stock-publisher --no-recreate
    renew erp-bridge --no-recreate
    event "scaled up: stock-publisher to 5, erp-bridge to 3"
    check_spread "after the kills, scaled up"
    replicas[stock-publisher]=3 replicas[erp-bridge]=2
    renew stock-publisher --no-recreate
    renew erp-bridge --no-recreate
    event "scaled down: stock-publisher to 3, erp-bridge to 2"
    check_restarts
    upgrade
    check_spread "after the upgrade"
    touch "$demo/play/state/busy.over"
}

summary() {
    local letters
    letters=$(compose run --rm --no-deps -T stockbridge dead-letters list --json < /dev/null |
        sed -n 's/.*"total" *: *\([0-9]*\).*/\1/p')
    printf '\n== The day of %s SKUs\n' "${SKUS:-6000}"
    grep -E '^   .* (shelves show|workbooks equal|differences were found|orders at)' "$work/day.log"
    sed -n '/^== Summary/,$p' "$work/day.log"
    printf '\n== Messages handled per replica\n'
    cat "$work/spread"
    printf '\n== Survived\n'
    printf '   %s\n' "${events[@]}"
    if [ -z "$old" ]; then say "(both versions are the same program under two names)"; fi
    [ "$letters" = 0 ] || die "$letters dead letters wait for a person, and no shop was out: see services.log"
    say "nothing lost: every shelf, order, report and difference is what the shops say; $((SECONDS - began)) s in all"
}

exec 7>&1
trap finish EXIT
trap 'exit 1' INT TERM
rm -rf "$work"
mkdir -p "$work"
touch "$work/spread" "$work/day.log"
if [ -z "$build" ]; then
    build_executables "${executables[@]}" stockbridge shop-simulator
    build=$("$here/build-release.sh" --path)
fi
start_engine
build_images
infra/demo/containers.sh "$demo" "${SKUS:-6000}" "${PACE:-20}" > /dev/null
say "starting the deployment with 3 stock-publisher, 2 order-collector and 2 erp-bridge replicas"
start_all
BUSY_HOUR=1 compose run --rm -T day > "$work/day.log" 2>&1 &
day=$!
disturb
wait "$day" || { day="" && die "the day failed"; }
day=""
check_restarts
summary
