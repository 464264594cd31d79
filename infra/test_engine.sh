# shellcheck shell=bash
# What the tests that run containers share: test-image.sh, test-deployment.sh and test-containers.sh. Sourced, never
# run. Expects: $here (this folder), $root (the repository) and say. With ENGINE=running the engine is the one that
# `docker` finds, and none is stopped.

# shellcheck disable=SC2154 # here and root: see above
engine=$root/.stack-engine
own_engine=yes
[ "${ENGINE:-own}" = own ] || own_engine=""
# shellcheck disable=SC2034 # used by the scripts that source this
executables=(stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier)

# Two at once would take each other's engine down.
claim_engine() {
    exec 8< "$here"
    flock -n 8 || { say "another test with an engine of its own is running" >&2; exit 1; }
}

start_engine() {
    [ -n "$own_engine" ] || return 0
    local settings
    settings=$("$here/engine.sh" start "$engine" 8>&-)
    eval "$settings"
}

stop_engine() { [ -z "$own_engine" ] || "$here/engine.sh" stop "$engine" 8>&- || true; }

# Usage: build_executables PRODUCT...
build_executables() {
    "$here/install.sh" build
    say "building the executables"
    "$here/build-release.sh" "$@"
}

# From now on compose makes images of what was built here, on the base that engine.sh makes, and takes the servers from
# the stand-ins, which are built now.
use_own_images() {
    export RUNTIME_IMAGE=${RUNTIME_IMAGE:-localhost/debian:bookworm} BINARIES=prebuilt
    export BUILDER_IMAGE=$RUNTIME_IMAGE
    export RABBITMQ_IMAGE=${RABBITMQ_IMAGE:-localhost/standin/rabbitmq:latest}
    export POSTGRES_IMAGE=${POSTGRES_IMAGE:-localhost/standin/postgres:latest}
    export NGINX_IMAGE=${NGINX_IMAGE:-localhost/standin/nginx:latest}
    say "building the images"
    docker compose -f "$here/containers/standins/compose.yaml" build --quiet rabbitmq postgres nginx
}

# One image of compose.yaml, which wants to know where secrets lie before there are any. Usage: build_image SERVICE
build_image() { STOCKBRIDGE_SECRETS=/none STOCKBRIDGE_FILE=/none docker compose build --quiet "$1"; }
