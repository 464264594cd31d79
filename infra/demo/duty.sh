#!/bin/bash
# infra/demo/duty.sh [DIRECTORY]       (make duty, after make demo)
# Plays what the person on duty meets when a shop is out and when it answers nonsense, on the running demo, and prints
# every command with its output: docs/operations.md shows them. DIRECTORY (default: .stack) is the demo's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
stack=$(realpath -m "${1:-.stack}")
servers=$stack/servers
bin=$(infra/build-release.sh --path)
# shellcheck source=infra/stack/lib.sh
. infra/stack/lib.sh
# shellcheck source=infra/demo/lib.sh
. infra/demo/lib.sh
running stock-publisher > /dev/null || die "nothing runs in $stack: start the demo first (make demo)"
# shellcheck disable=SC1091
. "$stack/environment"
export STOCKBRIDGE_CONFIGURATION=$stack/stockbridge.yaml

# Says a command, runs it, and lets it end with 3: something needs attention.
typed() {
    local word
    printf '\n$ stockbridge'
    for word in "$@"; do
        case $word in *' '*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    stockbridge "$@" || [ $? -eq 3 ]
}
ask() { psql -qAt "${STOCKBRIDGE_TEST_DATABASE%/*}/stockbridge" -c "$1"; }
shop_is() { /usr/bin/python3 infra/demo/day.py "$stack" "$@"; }
waiting_letters() { ask "SELECT count(*) FROM dead_letters.letters WHERE state = 'waiting'"; }
due_shelves() { ask "SELECT count(*) FROM publishing.shelves WHERE due AND shop $1"; }
others_are_done() { [ "$(due_shelves "<> 'hanoi'")" = 0 ]; }
hanoi_is_done() { [ "$(due_shelves "= 'hanoi'")" = 0 ]; }
alert_is_told() { grep -lqs "^Subject:.*Shop hanoi is out" "$STOCKBRIDGE_TEST_MAIL_DIRECTORY"/*.eml; }
pushes_are_dead() {
    local now
    now=$(waiting_letters)
    [ "$now" -gt 100 ] && [ "$now" = "$(sleep 20; waiting_letters)" ]
}

stock_file=$(cat "$stack/morning.path")

step "A shop is out: Ha Noi answers 503 to everything, and a new stock file arrives"
note "To keep it short, stock-publisher gives a message three attempts here instead of eight, and probes soon."
short='max_attempts: {stock-publisher: 3}, outage: {first_probe: 2s, longest_probe: 5s}'
sed "s/^retry: {\(.*\)}$/retry: {\1, $short}/" "$stack/stockbridge.yaml" > "$stack/duty.yaml"
end stock-publisher TERM 30
launch stock-publisher "$stack/log/stock-publisher.log" "$bin/stock-publisher" --configuration "$stack/duty.yaml"
await stock-publisher "$stack/log/stock-publisher.log" 60 is_ready stock-publisher
shop_is break hanoi 503
deliver "$(/usr/bin/python3 infra/demo/change_stock.py "$stock_file" "$stack/morning" add 20)"
typed run stock --wait 120
wait_until 120 alert_is_told
wait_until 300 others_are_done
typed status
typed dead-letters list
note "One alert, and a queue that waits. Ha Noi is mended, and nobody has to do anything:"
shop_is mend hanoi
wait_until 300 hanoi_is_done
shop_is levels hanoi

step "A shop answers nonsense: Ha Noi shows a page of HTML to every write, and the next stock file arrives"
shop_is break hanoi html
deliver "$(/usr/bin/python3 infra/demo/change_stock.py "$stack"/morning/stock-*-0605.csv "$stack/morning" add 20)"
typed run stock --wait 120
note "(every message is tried three times, and each time the shop is read back first)"
wait_until 900 pushes_are_dead
typed dead-letters groups
typed dead-letters list --shop hanoi --limit 3
letter=$(ask "SELECT max(id) FROM dead_letters.letters")
typed dead-letters show "$letter"

step "Ha Noi is mended: try ten, then the rest"
shop_is mend hanoi
typed dead-letters replay --shop hanoi --dry-run
typed dead-letters replay --shop hanoi --canary 10 --rate 50/s --reason "the shop answers again" --yes --wait 300
typed dead-letters jobs
wait_until 300 hanoi_is_done
shop_is levels hanoi
typed dead-letters list
