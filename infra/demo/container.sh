#!/bin/bash
# infra/demo/container.sh ROLE         (the command of each container of the profile `demo`)
#   shop NAME   a simulated shop           sftp   the server that the ERP's files arrive on
#   mail        takes every mail and keeps it in /demo/mail
#   night       what customers bought before the demo began; does nothing the second time
#   day         plays the business day and compares what came out with what the shops say; ends with a summary
#   prepare SKUS REQUESTS_PER_SECOND   writes the data and the configuration of a new demo to /prepared
# The folder that all of them share is mounted at /demo. Test equipment: never part of a deployment.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
export STOCKBRIDGE_DEMO_CLOCK=/demo/clock/offset
stack=/demo bin=/usr/local/bin
here() { printf '%s\n' "demo: $*"; }

equip() {
    # shellcheck source=infra/demo/lib.sh
    . infra/demo/lib.sh
    # shellcheck source=infra/demo/play.sh
    . infra/demo/play.sh
    export STOCKBRIDGE_TEST_SFTP_HOST=sftp STOCKBRIDGE_TEST_SFTP_PORT=2222 STOCKBRIDGE_TEST_SFTP_USER=stockbridge
    export STOCKBRIDGE_TEST_SFTP_KEY=/demo/keys/client_key STOCKBRIDGE_TEST_SFTP_DIRECTORY=/demo/sftp
    export STOCKBRIDGE_TEST_MAIL_DIRECTORY=/demo/mail
}

run_shop() {
    local name=$1 keys=/demo/keys
    equip
    exec shop-simulator --host 0.0.0.0 --port 9000 --name "$name" --catalogue "/demo/morning/shops/$name.jsonl" \
        --platform "$(platform_of "$name")" --latency-ms 20 --points-per-second 1000 \
        --requests-per-second 100 --burst 100 --clock-offset-file "$STOCKBRIDGE_CLOCK_OFFSET_FILE" \
        --key "$(cat "$keys/shop-$name-key")" --secret "$(cat "$keys/shop-$name-secret")" \
        --webhook-secret "$(webhook_secret_of "$name" "$keys")" --webhook-authority /demo/keys/webhook-ca.pem \
        --admin-token "$(cat "$keys/simulator-token")"
}

run_sftp() {
    cat > /tmp/sshd_config << 'CONFIGURATION'
Port 2222
HostKey /demo/keys/host_key
PidFile none
AuthorizedKeysFile /demo/keys/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers stockbridge
UsePAM no
StrictModes no
UseDNS no
AllowTcpForwarding no
PermitTTY no
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d /demo/sftp
LogLevel ERROR
CONFIGURATION
    exec /usr/sbin/sshd -D -e -f /tmp/sshd_config
}

run_mail() {
    exec /usr/bin/python3 infra/stack/mail_catcher.py --host 0.0.0.0 --port 2525 --directory /demo/mail
}

play_night() {
    equip
    [ ! -e /demo/day.json ] || { here "customers have bought already"; return; }
    act early
}

play_day() {
    equip
    day=$(cat /demo/day)
    local began=$SECONDS now
    now=$(($(date +%s) + $(cat "$STOCKBRIDGE_CLOCK_OFFSET_FILE")))
    if [ -e /demo/played ] || [ "$now" -gt "$(TZ=Asia/Ho_Chi_Minh date -d "$day 05:29" +%s)" ]; then
        here "this day has begun before: take the demo down, remove its folder, and prepare another one" >&2
        exit 1
    fi
    touch /demo/played
    play_business_day
    # shellcheck disable=SC2154 # they come from play.sh
    note "From the file to the last shelf: $((confirmed - picked_up)) s. The whole day: $((SECONDS - began)) s."
    note "mails: $(find "$STOCKBRIDGE_TEST_MAIL_DIRECTORY" -name '*.eml' | wc -l)"
}

# Everything here belongs to the user of the containers, who is not the one that runs this.
prepare() {
    stack=/prepared/play STOCKBRIDGE_DEMO_CLOCK=/prepared/play/clock/offset
    equip
    /usr/bin/python3 infra/demo/make_containers.py /prepared --requests-per-second "$2"
    day=$(TZ=Asia/Ho_Chi_Minh date -d tomorrow +%F)
    printf '%s\n' "$day" > "$stack/day"
    clock_to 05:00
    local file
    file=$(/usr/bin/python3 infra/demo/make_morning.py "$stack/morning" --skus "$1" --as-of "${day}T05:45")
    printf '%s\n' "/demo/morning/${file##*/}" > "$stack/morning.path"
    chown -R 10001:10001 "$stack"
    chmod -R u=rwX,go= "$stack/keys"
    chmod -R go=rX "$stack/clock"
    here "the day is $day, with $1 SKUs"
}

case ${1:-} in
shop) run_shop "$2" ;;
sftp) run_sftp ;;
mail) run_mail ;;
night) play_night ;;
day) play_day ;;
prepare) prepare "$2" "$3" ;;
*) here "usage: $0 shop NAME|sftp|mail|night|day|prepare SKUS REQUESTS_PER_SECOND" >&2; exit 2 ;;
esac
