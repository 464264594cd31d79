#!/bin/bash
# infra/demo/run.sh [DIRECTORY]        (make demo)
# Plays a business day of a merchant with five web shops, on real servers on this machine alone, and leaves all running.
# DIRECTORY (default: .stack) holds everything it makes. Asks nothing. SKUS sets the size of the catalogue.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
skus=${SKUS:-20000}
began=$SECONDS

printf '== Stockbridge demo: one day of a merchant with %s SKUs in two warehouses and five web shops\n' "$skus"
printf '   All servers are private ones on 127.0.0.1; nothing leaves this machine. End them with: make stop\n'

infra/install.sh build stack

printf '\n== Building the services (the first time takes several minutes, later a few seconds)\n'
infra/build-release.sh stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier \
    stockbridge shop-simulator
bin=$(infra/build-release.sh --path)

infra/stack/up.sh "${1:-.stack}"
stack=$(realpath "${1:-.stack}")
servers=$stack/servers
# shellcheck source=infra/stack/lib.sh
. infra/stack/lib.sh
# shellcheck source=infra/demo/lib.sh
. infra/demo/lib.sh
# shellcheck disable=SC1091
. "$stack/environment"
export STOCKBRIDGE_CONFIGURATION=$stack/stockbridge.yaml


day=$(TZ=Asia/Ho_Chi_Minh date -d tomorrow +%F)
customers() { /usr/bin/python3 infra/demo/day.py "$stack" "$@"; }
act() {
    local said
    said=$(customers "$@") || { printf '%s\n' "$said" >&2; exit 1; }
    note "$said"
}

step "The merchant's files: a stock file with the usual dirt, and what each shop sells today"
end_demo_processes
forget_yesterday
note "The day is $day. Its hours are compressed: the clock of the demo jumps from one event to the next."
clock_to 05:00
/usr/bin/python3 infra/demo/make_morning.py "$stack/morning" --skus "$skus" --as-of "${day}T05:45" \
    > "$stack/morning.path"
stock_file=$(cat "$stack/morning.path")
note "$stock_file"
mkdir -p "$stack/state"
# The secrets first, which the shops need; then the shops' addresses, which the configuration needs.
/usr/bin/python3 infra/demo/make_configuration.py "$stack" > /dev/null
start_shops
mapfile -t options < <(shop_options)
/usr/bin/python3 infra/demo/make_configuration.py "$stack" --requests-per-second 80 --webhook-port "$(free_port)" \
    "${options[@]}" > /dev/null
note "$STOCKBRIDGE_CONFIGURATION"

step "Customers have bought through the night"
act early

step "Database, broker and services"
stockbridge config check
stockbridge migrate
stockbridge topology apply | tail -n 1
start_services
note "running: ${services[*]}; their logs are in $stack/log"

step "What the shops sell, and what it is in the ERP"
stockbridge status --wait-for catalogues --timeout 300
stockbridge mapping import "$stack/morning/mapping.csv" --yes

step "06:00: the ERP drops its stock file into the SFTP folder"
deliver "$stock_file"
clock_to 06:00
picked_up=$SECONDS
wait_until 300 stock_is_live
stockbridge status --wait-for runs --timeout 300
note "A shop's first push waits for a person. This is what would change at one of them:"
stockbridge shadow show hanoi
note "It looks right, so all five shops are let go."
for shop in "${shops[@]}"; do stockbridge shadow off "$shop" --yes; done
stockbridge status --wait-for runs --timeout 600
confirmed=$SECONDS
act shelves

step "06:10: a second file says that most of the stock is gone"
clock_to 06:10
bad_file=$(/usr/bin/python3 infra/demo/change_stock.py "$stock_file" "$stack/morning" zero 10)
deliver "$bad_file"
stockbridge run stock --wait 300 || [ $? -eq 3 ]
note "It is held: the shops keep the last good numbers, and a mail asks a person to decide."

step "06:30: the shops have been read back, and the General Manager has a mail"
wait_until 300 more_mails_to general.manager 0
clock_to 06:30
note "all shops compared; the mail is in $STOCKBRIDGE_TEST_MAIL_DIRECTORY"

step "09:00: a customer buys the last pieces at one shop; another shop must not sell them too"
clock_to 09:00
act last-one

step "10:00: more orders, one edited, one cancelled; and one that waits for an article"
clock_to 10:00
act morning
stockbridge run orders --wait 60
stockbridge orders list --held || [ $? -eq 3 ]
unmapped=$(customers map)
read -r shop sku code <<< "$unmapped"
note "The SKU gets its article, and the order is released by itself:"
stockbridge mapping set "$shop" "$sku" "$code"
wait_until 60 no_order_is_held

step "12:00: one order report for each shop goes to the ERP's mailbox"
clock_to 12:00
wait_until 120 reports_are_sent 5
stockbridge report list
act reports

step "14:00: an order that the ERP has is cancelled; the next report says so"
clock_to 14:00
act afternoon
stockbridge run report --shop saigon --wait 60
wait_until 120 reports_are_sent 6
read -r shop order <<< "$(customers cancelled-later)"
stockbridge explain order "$shop" "$order"

step "17:00: the shops are read back; three things have been changed there behind our back"
clock_to 17:00
act plant
before=$(mails_to general.manager)
stockbridge run reconciliation --wait 60
wait_until 300 more_mails_to general.manager "$before"
act findings

step "Why is a number what it is?"
example=$(/usr/bin/python3 infra/demo/example_sku.py "$stack/morning/shops/saigon.jsonl")
stockbridge explain stock saigon "$example"

step "Summary"
act shelves
stockbridge status || [ $? -eq 3 ]
cat << END

   From the file to the last shelf: $((confirmed - picked_up)) s. The whole demo: $((SECONDS - began)) s.

   stock file      $stock_file
   held file       $bad_file
   mails           $STOCKBRIDGE_TEST_MAIL_DIRECTORY  ($(find "$STOCKBRIDGE_TEST_MAIL_DIRECTORY" -name '*.eml' | wc -l))
   configuration   $STOCKBRIDGE_CONFIGURATION
   logs            $stack/log

   Everything goes on running. To look further:
     export STOCKBRIDGE_CONFIGURATION=$STOCKBRIDGE_CONFIGURATION
     export STOCKBRIDGE_CLOCK_OFFSET_FILE=$STOCKBRIDGE_CLOCK_OFFSET_FILE
     $bin/stockbridge status
     $bin/stockbridge stock list
     $bin/stockbridge explain stock saigon $example
     $bin/stockbridge orders list --limit 10
     $bin/stockbridge report list
   To end it:
     make stop
END
