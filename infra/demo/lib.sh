# Functions shared by the scripts of the demo. Sourced after infra/stack/lib.sh, never run.
# Expects: $root (the repository), $stack (absolute path of the stack's directory), $bin (the executables).

services=(stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier)
shops=(hanoi saigon danang beauty wholesale)

step() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }

# The operator's tool with the demo's configuration.
stockbridge() { "$bin/stockbridge" "$@"; }

end_demo_processes() {
    local name
    for name in "${services[@]}"; do end "$name" TERM 30; done
    for name in "${shops[@]}"; do end "shop-$name" TERM 5; done
}

# A morning begins with an empty database and a broker without queues, so that every demo shows the same.
forget_yesterday() {
    psql -q "$STOCKBRIDGE_TEST_DATABASE" -c 'DROP DATABASE IF EXISTS stockbridge WITH (FORCE)' 2> /dev/null
    "$STOCKBRIDGE_TEST_RABBITMQCTL" -q delete_vhost stockbridge > /dev/null 2>&1 || true
    rm -f "$STOCKBRIDGE_CLOCK_OFFSET_FILE"
    rm -rf "$stack/morning" "${STOCKBRIDGE_TEST_SFTP_DIRECTORY:?}/outgoing"
    rm -f "$STOCKBRIDGE_TEST_MAIL_DIRECTORY"/*.eml
}

platform_of() { /usr/bin/python3 "$root/infra/demo/shops.py" platform "$1"; }

# Shopify signs with the app's secret, a WooCommerce shop with a secret of the webhook. Usage: NAME FOLDER
webhook_secret_of() {
    case $(platform_of "$1") in
    shopify) cat "$2/shop-$1-secret" ;;
    *) cat "$2/shop-$1-webhook" ;;
    esac
}

# The day is compressed: what goes by the clock of the demo goes by this file, which says by how many seconds it is
# ahead. Hours in which nothing happens are skipped; everything that takes time takes its time.
export STOCKBRIDGE_CLOCK_OFFSET_FILE=${STOCKBRIDGE_DEMO_CLOCK:-$stack/clock}

# Moves the clock forward to a time of the demo's day, such as 12:00; never back.
clock_to() {
    local goal ahead known
    goal=$(TZ=Asia/Ho_Chi_Minh date -d "$day $1" +%s)
    ahead=$((goal - $(date +%s)))
    known=$(cat "$STOCKBRIDGE_CLOCK_OFFSET_FILE" 2> /dev/null || echo 0)
    [ "$ahead" -gt "$known" ] || return 0
    printf '%s\n' "$ahead" > "$STOCKBRIDGE_CLOCK_OFFSET_FILE.new"
    mv "$STOCKBRIDGE_CLOCK_OFFSET_FILE.new" "$STOCKBRIDGE_CLOCK_OFFSET_FILE"
}

# Starts the simulated shops, each on a free port of its own, and prints the options that name them.
start_shops() {
    local name
    for name in "${shops[@]}"; do
        rm -f "$stack/state/shop-$name.port"
        launch "shop-$name" "$stack/log/shop-$name.log" "$bin/shop-simulator" \
            --catalogue "$stack/morning/shops/$name.jsonl" --name "$name" --latency-ms 20 \
            --key "$(cat "$stack/secrets/shop-$name-key")" --secret "$(cat "$stack/secrets/shop-$name-secret")" \
            --platform "$(platform_of "$name")" --webhook-secret "$(webhook_secret_of "$name" "$stack/secrets")" \
            --points-per-second 1000 --clock-offset-file "$STOCKBRIDGE_CLOCK_OFFSET_FILE" \
            --requests-per-second 100 --burst 100 --port-file "$stack/state/shop-$name.port"
    done
    for name in "${shops[@]}"; do
        await "shop-$name" "$stack/log/shop-$name.log" 30 test -s "$stack/state/shop-$name.port"
    done
}

shop_options() {
    local name
    for name in "${shops[@]}"; do
        printf '%s\n' --shop "$name=http://127.0.0.1:$(cat "$stack/state/shop-$name.port")"
    done
}

# A service says on which port it tells its health, and is ready when it says so there.
health_port() {
    sed -n 's/.*"message":"health and metrics".*"port":"\([0-9]*\)".*/\1/p' "$stack/log/$1.log" | tail -n 1
}

is_ready() {
    local port
    port=$(health_port "$1")
    [ -n "$port" ] && [ "$(answer_of "$port" /readyz)" = ready ]
}

# A GET without a tool that a bare machine may lack. Usage: answer_of PORT PATH
answer_of() {
    local line body=""
    exec 3<> "/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
    while IFS= read -r line <&3; do body=$line; done
    exec 3>&-
    printf '%s' "$body"
}

start_services() {
    local name
    for name in "${services[@]}"; do
        launch "$name" "$stack/log/$name.log" "$bin/$name" --configuration "$stack/stockbridge.yaml"
    done
    for name in "${services[@]}"; do await "$name" "$stack/log/$name.log" 60 is_ready "$name"; done
}

# Delivers a file as an ERP would: uploaded under another name, then renamed, over SFTP.
deliver() {
    local name
    name=$(basename "$1")
    sftp -q -b - -i "$STOCKBRIDGE_TEST_SFTP_KEY" -P "$STOCKBRIDGE_TEST_SFTP_PORT" \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        "$STOCKBRIDGE_TEST_SFTP_USER@$STOCKBRIDGE_TEST_SFTP_HOST" > /dev/null << END
put $1 $STOCKBRIDGE_TEST_SFTP_DIRECTORY/outgoing/.$name.part
rename $STOCKBRIDGE_TEST_SFTP_DIRECTORY/outgoing/.$name.part $STOCKBRIDGE_TEST_SFTP_DIRECTORY/outgoing/$name
END
}

# Waits for a condition. Usage: wait_until SECONDS CONDITION [ARGUMENTS]
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || { echo "waited in vain for: $*" >&2; return 1; }
        sleep 0.3
    done
}

stock_is_live() { stockbridge stock list | grep -q ' live '; }

no_order_is_held() { stockbridge orders list --held > /dev/null; }

# A mail that was sent again after a lost answer has the same Message-ID.
mails_to() {
    { grep -lis "^To:.*$1@" "$STOCKBRIDGE_TEST_MAIL_DIRECTORY"/*.eml || true; } |
        xargs -r grep -him 1 '^Message-ID:' | sort -u | wc -l
}

reports_are_sent() { [ "$(mails_to orders)" -ge "$1" ]; }

more_mails_to() { [ "$(mails_to "$1")" -gt "$2" ]; }
