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
# shellcheck source=infra/demo/play.sh
. infra/demo/play.sh
# shellcheck disable=SC1091
. "$stack/environment"
export STOCKBRIDGE_CONFIGURATION=$stack/stockbridge.yaml

day=$(TZ=Asia/Ho_Chi_Minh date -d tomorrow +%F)
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
/usr/bin/python3 infra/demo/make_configuration.py "$stack" --requests-per-second 80 --webhook-port "$(any_port)" \
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

play_business_day
# shellcheck disable=SC2154 # picked_up, confirmed, bad_file and example come from play.sh
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
