#!/bin/bash
# infra/deploy/setup.sh [--broker-name NAME]... [--database-name NAME]... [--webhook-name NAME] [DIRECTORY]
# Makes what compose.yaml needs and no repository may hold: random passwords, a private certificate authority with
# certificates for RabbitMQ and PostgreSQL, a self-signed one for nginx, a stockbridge.yaml to start from, and .env.
# Asks nothing. Run again, it adds what is missing and changes nothing that exists.
#
# Everything goes into the repository's folder, where `docker compose` finds it; with DIRECTORY it goes there, and
# `docker compose --env-file DIRECTORY/env` uses it. --broker-name and --database-name put more host names into the
# certificates, for a broker or database of several servers; --webhook-name is nginx's public name.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
# shellcheck source=infra/deploy/lib.sh
. "$here/lib.sh"

broker_names=(rabbitmq localhost)
database_names=(postgres localhost)
webhook_name=$(hostname -f 2> /dev/null || hostname)
while [ $# -gt 0 ]; do
    case $1 in
    --broker-name) broker_names+=("${2:?}"); shift 2 ;;
    --database-name) database_names+=("${2:?}"); shift 2 ;;
    --webhook-name) webhook_name=${2:?}; shift 2 ;;
    -*) usage ;;
    *) break ;;
    esac
done
[ $# -le 1 ] || usage
if [ $# -eq 1 ]; then
    mkdir -p "$1"
    target=$(realpath "$1")
    prefix=$target
    environment=$target/env
else
    target=$root
    prefix=.
    environment=$root/.env
fi
secrets=$target/secrets

command -v openssl > /dev/null ||
    die "openssl is missing, which makes the certificates: install it (apt-get install openssl) and run this again."
[ -w "$target" ] || die "$target cannot be written to: run this as its owner."
umask 077
made=()

# write NAME: the text on standard input, whole or not at all, unless the file exists.
write() {
    [ ! -e "$1" ] || { cat > /dev/null; return 0; }
    cat > "$1.new"
    chmod "${2:-444}" "$1.new"
    mv "$1.new" "$1"
    made+=("${1#"$target/"}")
}

password() { openssl rand -base64 33 | tr '+/' '-_'; }

folder() {
    mkdir -p "$secrets/$1"
    # Its files are read by the container's own user; from outside, nobody comes past `secrets`.
    chmod 755 "$secrets/$1"
}

make_passwords() {
    local service kind
    folder migrate
    for service in "${services[@]}" stockbridge; do
        folder "$service"
        for kind in broker database; do
            write "$secrets/migrate/$kind-$service" < <(password)
            write "$secrets/$service/$kind-$service" < "$secrets/migrate/$kind-$service"
        done
    done
    write "$secrets/migrate/database-owner" < <(password)
    write "$secrets/migrate/database-admin" < <(password)
    write "$secrets/migrate/broker-admin" < <(password)
    folder postgres
    write "$secrets/postgres/password" < "$secrets/migrate/database-admin"
    folder grafana
    write "$secrets/grafana/password" < <(password)
    folder rabbitmq
    write "$secrets/rabbitmq/admin.conf" << END
default_vhost = stockbridge
default_user = admin
default_pass = $(cat "$secrets/migrate/broker-admin")
default_user_tags.administrator = true
END
}

make_authority() {
    mkdir -p "$secrets/ca"
    [ ! -e "$secrets/ca/ca.crt" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -sha256 \
        -subj "/CN=Stockbridge deployment $(openssl rand -hex 4)" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" \
        -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$secrets/ca/key.new" -out "$secrets/ca/crt.new" \
        2> /dev/null
    # The certificate last: it says that both are there.
    mv "$secrets/ca/key.new" "$secrets/ca/ca.key"
    write "$secrets/ca/ca.crt" < "$secrets/ca/crt.new"
    rm "$secrets/ca/crt.new"
}

# certificate FOLDER NAME...: a key and a certificate of the authority for these host names.
certificate() {
    local place=$secrets/$1 work alternatives=() name
    shift
    [ ! -e "$place/server.crt" ] || return 0
    [ -r "$secrets/ca/ca.key" ] ||
        die "$secrets/ca/ca.key is missing, so no certificate for $1 can be signed: put it back, or remove" \
            "$secrets/ca and every server.crt below $secrets to have all made anew."
    for name in "$@"; do alternatives+=("DNS:$name"); done
    alternatives+=(IP:127.0.0.1)
    work=$(mktemp -d "$secrets/new.XXXXXX")
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$work/key" \
        -out "$work/request" 2> /dev/null
    printf '%s\n' "subjectAltName=$(IFS=,; echo "${alternatives[*]}")" extendedKeyUsage=serverAuth \
        basicConstraints=CA:FALSE "keyUsage=critical,digitalSignature" > "$work/extensions"
    openssl x509 -req -in "$work/request" -CA "$secrets/ca/ca.crt" -CAkey "$secrets/ca/ca.key" -days 3650 -sha256 \
        -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/extensions" -out "$work/certificate" 2> /dev/null
    rm -f "$place/server.key"
    write "$place/server.key" < "$work/key"
    write "$place/server.crt" < "$work/certificate"
    rm -rf "$work"
}

self_signed() {
    local place=$secrets/nginx work
    folder nginx
    [ ! -e "$place/server.crt" ] || return 0
    work=$(mktemp -d "$secrets/new.XXXXXX")
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -sha256 \
        -subj "/CN=${webhook_name:0:64}" -addext "subjectAltName=DNS:$webhook_name" \
        -keyout "$work/key" -out "$work/certificate" 2> /dev/null
    rm -f "$place/server.key"
    write "$place/server.key" < "$work/key"
    write "$place/server.crt" < "$work/certificate"
    rm -rf "$work"
}

machine_zone() {
    local zone
    zone=$(readlink -f /etc/localtime 2> /dev/null || true)
    case $zone in
    /usr/share/zoneinfo/*/*) echo "${zone#/usr/share/zoneinfo/}" ;;
    *) echo Etc/UTC ;;
    esac
}

for leftover in "$secrets"/new.*; do [ ! -d "$leftover" ] || rm -rf "$leftover"; done
mkdir -p "$secrets"
chmod 700 "$secrets"
make_passwords
make_authority
certificate rabbitmq "${broker_names[@]}"
certificate postgres "${database_names[@]}"
write "$secrets/rabbitmq/ca.crt" < "$secrets/ca/ca.crt"
self_signed
write "$target/stockbridge.yaml" 644 < <(sed "s|@ZONE@|$(machine_zone)|" "$here/stockbridge.starter.yaml")
write "$environment" 600 < <(sed "s|@PREFIX@|$prefix|" "$here/env.starter")

if [ ${#made[@]} -eq 0 ]; then
    say "everything is there already; nothing was changed"
    exit 0
fi
say "files made in $target: ${#made[@]}; keep a copy of secrets/ where only you can read it"
say "next: infra/deploy/up.sh, and then fill in stockbridge.yaml (company, mail, sources, shops)"
