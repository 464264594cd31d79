#!/bin/bash
# infra/install.sh LIST...
# Installs what is missing of the named lists of Debian packages, without a question; does nothing when all is there.
#   build   libraries that the product is compiled against       stack   servers of the local stack and the demo
#   bench   what the comparisons of "make bench" need            test    stack, and what the tests need besides
#   render  what infra/render-images.sh draws with
#   engine  a container engine, for infra/test-image.sh
set -euo pipefail

build=(gcc libc6-dev libstdc++-12-dev tzdata pkg-config
    librabbitmq-dev libpq-dev libcurl4-openssl-dev libzip-dev libxml2-dev zlib1g-dev libxlsxwriter-dev
    libcairo2-dev fonts-dejavu-core)
stack=(rabbitmq-server postgresql-15 openssh-server openssh-client openssl util-linux python3-minimal
    python3-aiosmtpd python3-openpyxl)
bench=(gcc libc6-dev python3-venv python3-dev)
render=(chromium libreoffice-calc poppler-utils python3-minimal python3-openpyxl)
test=(curl python3-pyftpdlib python3-openssl prometheus)
engine=(docker.io mmdebstrap iptables iproute2 ca-certificates openssl)

say() { printf '%s\n' "install: $*"; }

wanted=()
for list in "$@"; do
    case $list in
    build) wanted+=("${build[@]}") ;;
    stack) wanted+=("${stack[@]}") ;;
    bench) wanted+=("${bench[@]}") ;;
    test) wanted+=("${stack[@]}" "${test[@]}") ;;
    render) wanted+=("${render[@]}") ;;
    engine) wanted+=("${engine[@]}") ;;
    *) echo "usage: $0 build|stack|bench|test|render|engine..." >&2; exit 2 ;;
    esac
done
[ ${#wanted[@]} -gt 0 ] || { echo "usage: $0 build|stack|bench|test|render|engine..." >&2; exit 2; }

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
        as_root=(sudo -n)
    else
        say "these Debian packages are missing: ${missing[*]}"
        say "run as root: apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
fi

# Debian starts a server the moment its package is installed. Ours are private ones, so the answer is no, for as long
# as this runs; an answer that the machine's owner has set is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
fi
# Nor does postgresql-common get to make a cluster of its own that would start with the machine.
clusters=/etc/postgresql-common/createcluster.conf
if [[ " ${missing[*]} " == *" postgresql-15 "* ]] && [ ! -e "$clusters" ]; then
    "${as_root[@]}" mkdir -p "${clusters%/*}"
    echo 'create_main_cluster = false' | "${as_root[@]}" tee "$clusters" > /dev/null
fi

apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 \
        -o Dpkg::Options::=--force-confold -o Acquire::Retries=3 "$@"
}

say "installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
# The lists may be older than the mirror, or never fetched; fetching them has no time-out for another apt's lock.
for attempt in 1 2 3 4 5; do
    if apt update > "$log" 2>&1; then break; fi
    if [ "$attempt" -eq 5 ]; then
        cat "$log" >&2
        say "apt-get update failed; trying with the lists as they are"
    else
        sleep 5
    fi
done
if ! apt install -y --no-install-recommends "${missing[@]}" > "$log" 2>&1; then
    tail -n 30 "$log" >&2
    say "apt-get could not install them; its whole output is in $log"
    exit 1
fi
rm -f "$log"
say "done"
