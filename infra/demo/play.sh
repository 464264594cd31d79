# The business day of the demo, hour by hour. Sourced after infra/demo/lib.sh, never run: run.sh plays it with processes
# on this machine, container.sh with containers.
# Expects: $root, $stack, $day (the demo's date), and the STOCKBRIDGE_ variables of the stack's environment.

customers() { /usr/bin/python3 "$root/infra/demo/day.py" "$stack" "$@"; }
act() {
    local said
    said=$(customers "$@") || { printf '%s\n' "$said" >&2; exit 1; }
    note "$said"
}
comes_true() { customers "$1" > /dev/null 2>&1; }

play_catalogues() {
    step "What the shops sell, and what it is in the ERP"
    stockbridge status --wait-for catalogues --timeout 300
    stockbridge mapping import "$stack/morning/mapping.csv" --yes
}

play_stock_file() {
    local shop
    stock_file=$(cat "$stack/morning.path")
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
}

play_bad_file() {
    step "06:10: a second file says that most of the stock is gone"
    clock_to 06:10
    bad_file=$(/usr/bin/python3 "$root/infra/demo/change_stock.py" "$stock_file" "$stack/morning" zero 10)
    deliver "$bad_file"
    stockbridge run stock --wait 300 || [ $? -eq 3 ]
    note "It is held: the shops keep the last good numbers, and a mail asks a person to decide."
}

play_first_mail() {
    step "06:30: the shops have been read back, and the General Manager has a mail"
    wait_until 300 more_mails_to general.manager 0
    clock_to 06:30
    note "all shops compared; the mail is in $STOCKBRIDGE_TEST_MAIL_DIRECTORY"
}

play_sales() {
    local unmapped shop sku code
    step "09:00: a customer buys the last pieces at one shop; another shop must not sell them too"
    clock_to 09:00
    act last-one
    step "10:00: more orders, one edited, one cancelled; and one that waits for an article"
    clock_to 10:00
    act morning
    stockbridge run orders --wait 300
    stockbridge orders list --held || [ $? -eq 3 ]
    unmapped=$(customers map)
    read -r shop sku code <<< "$unmapped"
    note "The SKU gets its article, and the order is released by itself:"
    stockbridge mapping set "$shop" "$sku" "$code"
    wait_until 300 no_order_is_held
}

# Only with BUSY_HOUR: while customers buy without a pause somebody else kills, scales and upgrades
# (infra/test-containers.sh).
play_busy_hour() {
    step "10:30: the busy hour: customers buy without a pause, whatever happens to the system meanwhile"
    clock_to 10:30
    act busy
    # What is wrong is said by the next line.
    wait_until 300 comes_true shelves || true
    act shelves
}

play_reports() {
    step "12:00: one order report for each shop goes to the ERP's mailbox"
    clock_to 12:00
    wait_until 300 reports_are_sent 5
    stockbridge report list
    act reports
}

play_afternoon() {
    local shop order before
    step "14:00: an order that the ERP has is cancelled; the next report says so"
    clock_to 14:00
    act afternoon
    stockbridge run report --shop saigon --wait 300
    wait_until 300 reports_are_sent 6
    read -r shop order <<< "$(customers cancelled-later)"
    stockbridge explain order "$shop" "$order"

    step "17:00: the shops are read back; three things have been changed there behind our back"
    clock_to 17:00
    act plant
    before=$(mails_to general.manager)
    stockbridge run reconciliation --wait 300
    wait_until 300 more_mails_to general.manager "$before"
    act findings
}

play_evening() {
    step "Why is a number what it is?"
    example=$(/usr/bin/python3 "$root/infra/demo/example_sku.py" "$stack/morning/shops/saigon.jsonl")
    stockbridge explain stock saigon "$example"

    step "Summary"
    act shelves
    stockbridge status || [ $? -eq 3 ]
}

play_business_day() {
    play_catalogues
    play_stock_file
    play_bad_file
    play_first_mail
    play_sales
    [ -z "${BUSY_HOUR:-}" ] || play_busy_hour
    play_reports
    play_afternoon
    play_evening
}
