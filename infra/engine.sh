#!/bin/bash
# infra/engine.sh start|stop DIRECTORY
# A private container engine with compose for tests, under DIRECTORY, on a Debian 12 machine that may have no systemd
# and reach no image registry: base images are bootstrapped from Debian's packages. Needs root. `start` prints the two
# export lines with which `docker` finds it. Not for a machine whose firewall somebody else changes at the same time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() { echo "usage: $0 start|stop DIRECTORY" >&2; exit 2; }
[ $# -eq 2 ] || usage
directory=$(realpath -m "$2")
say() { printf '%s\n' "engine: $*" >&2; }
# shellcheck source=infra/debian13.sh
. "$here/debian13.sh"
[ "$(id -u)" -eq 0 ] || { say "needs root"; exit 1; }
export DOCKER_HOST=unix://$directory/docker.sock DOCKER_CONFIG=$directory/config
base=localhost/debian:bookworm

# Compose v2 is in Debian 13, not in 12. Its package is one static program, which is unpacked beside the system.
install_compose() {
    local plugins=$DOCKER_CONFIG/cli-plugins work
    [ ! -x "$plugins/docker-compose" ] || return 0
    say "fetching compose"
    work=$(mktemp -d)
    mkdir -p "$plugins"
    debian13_apt "$work" update
    debian13_apt "$work" install --download-only --yes --no-install-recommends docker-compose
    dpkg-deb -x "$work"/cache/archives/docker-compose_*.deb "$work/unpacked"
    install -m 755 "$work/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$plugins/"
    rm -rf "$work"
}

# Debian from its packages, imported as an image, with the machine's own sources and apt settings.
bootstrap_base_image() {
    if docker image inspect "$base" > /dev/null 2>&1; then return; fi
    say "making the base image"
    local options=() file sources
    mapfile -t sources < <(debian12_sources)
    for file in /etc/apt/apt.conf.d/99*; do [ ! -e "$file" ] || options+=("--aptopt=$file"); done
    mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates "${options[@]}" \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --customize-hook='printf "#!/bin/sh\nexit 101\n" > "$1/usr/sbin/policy-rc.d"' \
        --customize-hook='chmod 755 "$1/usr/sbin/policy-rc.d"' \
        bookworm - "${sources[@]}" |
        docker import -c 'CMD ["/bin/bash"]' -c 'ENV LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive' - "$base" > /dev/null
    # The names that compose.yaml and the Dockerfile have as defaults, so that they run unchanged.
    docker tag "$base" debian:bookworm-slim
}

start() {
    "$here/install.sh" engine >&2
    mkdir -p "$directory"/{config,exec,data}
    install_compose
    if ! docker version > /dev/null 2>&1; then
        # Before the engine does it: one that has to turn forwarding on itself also closes the FORWARD chain.
        [ -e "$directory/ip_forward" ] || cat /proc/sys/net/ipv4/ip_forward > "$directory/ip_forward"
        echo 1 > /proc/sys/net/ipv4/ip_forward
        rm -f "$directory/docker.pid"
        setsid dockerd --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/docker.pid" \
            -H "$DOCKER_HOST" --storage-driver overlay2 > "$directory/engine.log" 2>&1 < /dev/null &
        for _ in $(seq 120); do
            if docker version > /dev/null 2>&1; then break; fi
            sleep 0.5
        done
    fi
    docker version > /dev/null || { tail -n 20 "$directory/engine.log" >&2; say "did not start"; exit 1; }
    bootstrap_base_image
    echo "export DOCKER_HOST=$DOCKER_HOST"
    echo "export DOCKER_CONFIG=$DOCKER_CONFIG"
}

stop() {
    if [ -s "$directory/docker.pid" ]; then
        local pid
        pid=$(cat "$directory/docker.pid")
        kill "$pid" 2> /dev/null || true
        for _ in $(seq 120); do
            kill -0 "$pid" 2> /dev/null || break
            sleep 0.5
        done
        # What the engine leaves in the machine's network.
        ip link delete docker0 2> /dev/null || true
        iptables-save | grep -vE 'DOCKER|docker0' | iptables-restore
    fi
    if [ -s "$directory/ip_forward" ]; then cat "$directory/ip_forward" > /proc/sys/net/ipv4/ip_forward; fi
    # Only what looks like ours is deleted.
    if [ -d "$directory/exec" ] && [ -d "$directory/config" ]; then rm -rf "$directory"; fi
    say "stopped"
}

case $1 in
start | stop) "$1" ;;
*) usage ;;
esac
