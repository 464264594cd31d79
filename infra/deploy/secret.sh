#!/bin/bash
# infra/deploy/secret.sh [--replace] NAME shops|mail|sources|SERVICE...
# Stores a secret for the containers that need it, as /run/secrets/NAME. It is read from standard input: typed without
# being shown, or `< FILE`. `shops` stands for the services that call shops, `mail` for those that send mail, `sources`
# for the one that fetches stock files. An existing one is replaced only with --replace.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=infra/deploy/lib.sh
. "$here/lib.sh"
replace=no
if [ "${1:-}" = --replace ]; then replace=yes; shift; fi
[ $# -ge 2 ] || usage
name=$1
shift
[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "$name cannot be a file's name: use letters, digits, '-', '_', '.'."
secrets=${STOCKBRIDGE_SECRETS:-$(dirname "$(dirname "$here")")/secrets}
[ -d "$secrets" ] || die "$secrets does not exist: run infra/deploy/setup.sh first."

wanted=()
for word in "$@"; do
    case $word in
    shops) wanted+=(stock-publisher order-collector reconciler) ;;
    mail) wanted+=(notifier erp-bridge) ;;
    sources) wanted+=(stock-ingestor) ;;
    *)
        [[ " ${services[*]} stockbridge migrate " == *" $word "* ]] ||
            die "$word is none of: shops, mail, sources, ${services[*]}, stockbridge, migrate. Nothing was stored."
        wanted+=("$word")
        ;;
    esac
done
for service in "${wanted[@]}"; do
    [ "$replace" = yes ] || [ ! -e "$secrets/$service/$name" ] ||
        die "$service has a secret $name already. Nothing was stored; --replace puts the new one in its place."
done

umask 077
value=$(mktemp "$secrets/new.XXXXXX")
trap 'rm -f "$value"' EXIT
if [ -t 0 ]; then
    read -rsp "$name: " typed
    echo
    printf '%s\n' "$typed" > "$value"
else
    cat > "$value"
fi
grep -q . "$value" || die "The secret is empty. Nothing was stored."
for service in "${wanted[@]}"; do
    cp "$value" "$secrets/$service/$name.new"
    chmod 444 "$secrets/$service/$name.new"
    mv -f "$secrets/$service/$name.new" "$secrets/$service/$name"
done
say "stored $name for ${wanted[*]}; in stockbridge.yaml write \"\${file:/run/secrets/$name}\""
