#!/bin/bash
# infra/test-image.sh [prebuilt|build] [BUILD]
# Builds the image from infra/Dockerfile in a private container engine and runs the time-zone check and
# `stockbridge config check` inside it. prebuilt (the default) packs the executables of BUILD, by default the release
# build; build compiles them in the container, for which BUILDER_IMAGE must name an image with Swift that is at hand.
# Everything is taken down at the end, also after a failure. Needs root. With ENGINE=running it uses the engine that
# `docker` finds and stops none.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
binaries=${1:-prebuilt}
case $binaries in
prebuilt | build) ;;
*) echo "usage: $0 [prebuilt|build] [BUILD]" >&2; exit 2 ;;
esac
export DIST=dist-image
image=localhost/stockbridge:test
say() { printf '%s\n' "test-image: $*"; }
# shellcheck source=infra/test_engine.sh
. "$here/test_engine.sh"
# Without an engine of its own as well, for its sample lies where that one would.
claim_engine

finish() {
    local code=$?
    stop_engine
    [ -n "$own_engine" ] || rm -rf "$engine"
    rm -rf "${root:?}/$DIST"
    if [ "$code" -eq 0 ]; then say "passed"; else say "FAILED"; fi
    exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM

if [ "$binaries" = prebuilt ]; then
    [ -n "${2:-}" ] || build_executables "${executables[@]}" stockbridge
    say "collecting the executables"
    "$here/dist.sh" "$root/$DIST" ${2:+"$2"}
fi
start_engine
export RUNTIME_IMAGE=${RUNTIME_IMAGE:-localhost/debian:bookworm} BINARIES=$binaries STOCKBRIDGE_IMAGE=$image
if [ "$binaries" = prebuilt ]; then export BUILDER_IMAGE=$RUNTIME_IMAGE; fi

# A configuration like the demo's, made up for a machine without servers: it is read, not used.
sample=$engine/sample
mkdir -p "$sample/sftp"
touch "$sample/sftp/key"
cat > "$sample/environment" <<END
export STOCKBRIDGE_TEST_BROKER=amqp://admin:sample@127.0.0.1:5672
export STOCKBRIDGE_TEST_BROKER_MANAGEMENT=http://admin:sample@127.0.0.1:15672
export STOCKBRIDGE_TEST_DATABASE=postgresql://postgres:sample@127.0.0.1:5432/postgres
export STOCKBRIDGE_TEST_SFTP_HOST=127.0.0.1
export STOCKBRIDGE_TEST_SFTP_PORT=22
export STOCKBRIDGE_TEST_SFTP_USER=stock
export STOCKBRIDGE_TEST_SFTP_KEY=$sample/sftp/key
export STOCKBRIDGE_TEST_SFTP_FINGERPRINT=SHA256:$(printf sample | openssl dgst -sha256 -binary | base64 | tr -d =)
export STOCKBRIDGE_TEST_SFTP_DIRECTORY=$sample/sftp
export STOCKBRIDGE_TEST_SMTP_PORT=25
END
"$here/demo/make_configuration.py" "$sample" --shop hanoi=http://127.0.0.1:4001 --shop saigon=http://127.0.0.1:4002 \
    > /dev/null
chmod -R a+rX "$sample"
# The private parent directories are not the container's: a file or directory that is mounted can be reached as such.
export STOCKBRIDGE_FILE=$sample/stockbridge.yaml STOCKBRIDGE_SECRETS=$sample/secrets

cd "$root"
docker compose --env-file /dev/null config --quiet
say "building the image ($binaries)"
docker compose --env-file /dev/null build --quiet stock-ingestor
docker image inspect "$image" --format 'size {{.Size}} bytes, user {{.Config.User}}'

in_image() {
    docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 100 \
        -v "$sample:$sample:ro" -e STOCKBRIDGE_CONFIGURATION="$sample/stockbridge.yaml" "$image" "$@"
}
[ "$(in_image id -u)" != 0 ] || { say "the image runs as root"; exit 1; }
if in_image bash -c 'ldd /usr/local/bin/* /usr/local/libexec/stockbridge/timezone-check' 2>&1 | grep 'not found'; then
    say "a library is missing in the image"
    exit 1
fi
in_image /usr/local/libexec/stockbridge/timezone-check
in_image stockbridge config check
# What a new deployment starts with is valid too.
"$here/deploy/setup.sh" "$sample/deployment" > /dev/null
in_image stockbridge config check --configuration "$sample/deployment/stockbridge.yaml"
