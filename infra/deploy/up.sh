#!/bin/bash
# infra/deploy/up.sh [--env-file FILE] [-p PROJECT] [OPTION OF docker compose up]...
# Starts the deployment, or brings a running one up to date: looks first at what would make it fail, so that nothing is
# half started, and then does `docker compose up --wait` with the options given (--scale stock-publisher=4). Builds the
# image if it is not there, or with --build. If something does not start, prints what that container said last.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
# shellcheck source=infra/deploy/lib.sh
. "$here/lib.sh"

compose=(docker compose --project-directory "$root" -f "$root/compose.yaml")
environment=$root/.env
while [ $# -gt 0 ]; do
    case $1 in
    --env-file) environment=$(realpath -m "${2:?}"); shift 2 ;;
    -p) compose+=(-p "${2:?}"); shift 2 ;;
    *) break ;;
    esac
done
compose+=(--env-file "$environment")

# setting NAME DEFAULT: what compose will use: the environment first, then the file.
setting() {
    local value=${!1:-}
    [ -n "$value" ] || value=$(sed -n "s/^$1=//p" "$environment" | tail -n 1)
    echo "${value:-$2}"
}

check_tools() {
    docker compose version > /dev/null 2>&1 ||
        die "'docker compose' is missing: install Docker's engine with compose version 2 or later."
    docker version > /dev/null 2>&1 ||
        die "The Docker engine does not answer: start it, or run this as a user who may use it (group docker)."
}

check_files() {
    local file secrets service
    [ -r "$environment" ] || die "$environment does not exist: run infra/deploy/setup.sh first. Nothing was started."
    file=$(cd "$root" && realpath -m "$(setting STOCKBRIDGE_FILE ./stockbridge.yaml)")
    [ -f "$file" ] || die "$file does not exist: run infra/deploy/setup.sh, or put it back. Nothing was started."
    secrets=$(cd "$root" && realpath -m "$(setting STOCKBRIDGE_SECRETS ./secrets)")
    [ -d "$secrets" ] || die "$secrets does not exist: run infra/deploy/setup.sh, or put it back from your backup" \
        "(new secrets do not open the volumes of old ones). Nothing was started."
    for service in rabbitmq postgres nginx migrate stockbridge "${services[@]}"; do
        [ -d "$secrets/$service" ] ||
            die "$secrets/$service does not exist: run infra/deploy/setup.sh, which adds what is missing." \
                "Nothing was started."
    done
    "${compose[@]}" config --quiet || die "compose.yaml or $environment has a mistake; see above. Nothing was started."
}

# Two copies of the repository with one project name would replace each other's containers.
check_project() {
    local project other
    project=$("${compose[@]}" config | sed -n 's/^name: //p' | head -n 1)
    other=$(docker ps -a --filter "label=com.docker.compose.project=$project" \
        --format '{{.Label "com.docker.compose.project.working_dir"}}' | { grep -vxF -e "$root" -e "" || true; } |
        sort -u | head -n 1)
    [ -z "$other" ] || die "$other has a deployment called $project already: set COMPOSE_PROJECT_NAME in $environment" \
        "to another name. Nothing was started."
}

# check_port NAME DEFAULT SERVICE INNER: a port that our own container has is ours.
check_port() {
    local port
    port=$(setting "$1" "$2")
    [ "$port" != 0 ] || return 0
    if "${compose[@]}" port "$3" "$4" 2> /dev/null | grep -q ":$port\$"; then return 0; fi
    if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
        die "Port $port is taken by another program on this machine: set $1 in $environment to a free one, or stop" \
            "that program ('ss -ltnp' names it). Nothing was started."
    fi
}

# One build for all that run from this image; compose would make one for each.
build_image() {
    local image
    image=$(setting STOCKBRIDGE_IMAGE stockbridge:latest)
    if [ "$build" = no ] && docker image inspect "$image" > /dev/null 2>&1; then return; fi
    say "building the image $image; compiling takes a while the first time"
    "${compose[@]}" build migrate || die "The image was not built; see above. Nothing was started."
}

# The servers' own checks, before anything that runs is replaced.
check_volumes() {
    local server
    for server in rabbitmq postgres; do
        "${compose[@]}" --progress quiet run --rm --no-deps -T "check-$server" < /dev/null || exit 1
    done
}

# A folder that was put back is another folder than the one that running containers have open, which is gone.
has_lost_secrets() {
    [ -n "$("${compose[@]}" ps -q --status running rabbitmq)" ] || return 1
    ! "${compose[@]}" exec -T rabbitmq test -s /run/secrets/server.key < /dev/null
}

# What a container that is not as it should be said last: the plain sentence, or a log line's last one.
explain() {
    local service name state health code shown=no
    while IFS='|' read -r service name state health code; do
        case $state in
        running) [ "$health" = unhealthy ] || [ "$health" = starting ] || continue ;;
        exited) [ "$code" != 0 ] || continue ;;
        restarting | dead) ;;
        *) continue ;;
        esac
        printf '%s (%s %s) said last:\n' "$service" "$state" "${health:-$code}" >&2
        docker logs --tail 3 "$name" 2>&1 | cut -c1-600 | sed 's/^/    /' >&2
        shown=yes
    done < <("${compose[@]}" ps -a --format '{{.Service}}|{{.Name}}|{{.State}}|{{.Health}}|{{.ExitCode}}')
    [ "$shown" = yes ] || true
}

[ -t 1 ] || export COMPOSE_PROGRESS=plain
check_tools
check_files
check_project
check_port HTTPS_PORT 443 nginx 8443
check_port MANAGEMENT_PORT 0 rabbitmq 15671
options=()
build=no
for option in "$@"; do
    if [ "$option" = --build ]; then build=yes; else options+=("$option"); fi
done
check_volumes
build_image
if has_lost_secrets; then
    say "the running containers do not see the folder secrets any more: all are made anew"
    options+=(--force-recreate)
fi
if ! "${compose[@]}" up -d --wait --no-build "${options[@]}"; then
    explain
    die "Not everything started. Mend what is named above and run this again; what runs can stay as it is."
fi
say "everything is up; 'docker compose ps' lists it, 'docker compose run --rm stockbridge status' says how it is"
