#!/bin/bash
# infra/test.sh [--unit | --faults | --brokers]
# Installs what is missing, builds, starts a private stack under .stack-test, runs the tests, and stops the stack,
# whatever happens. Ends with the number of tests; before it, with --faults after it, stands what the faults did. Of the
# faults --faults tries many more, over as many seeds as SEEDS says (20). --brokers runs what depends on the broker, and
# a few faults, on the next series of RabbitMQ.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
mode=${1:-all}

infra/install.sh build test
echo "test: building (the first time takes several minutes)"
if ! swift build --build-tests > .build-test.log 2>&1; then
    grep -E 'error:' .build-test.log | sort -u | head -n 40 >&2 || true
    echo "test: the build failed; the whole output is in .build-test.log" >&2
    exit 1
fi
tail -n 1 .build-test.log

# One process runs its tests side by side on few threads, so what keeps the processor busy and what waits for servers go
# one after the other: a client that gets no turn would see time-outs that are nobody's fault.
rm -f .build-test.log .build-test.faults
export STOCKBRIDGE_FAULT_TABLE=$root/.build-test.faults
code=0
group() {
    echo "test: $1"
    shift
    : >> .build-test.log
    infra/test_watchdog.sh "$root/.build-test.log" &
    local watchdog=$!
    swift test --skip-build "$@" 2>&1 | tee -a .build-test.log || code=1
    kill "$watchdog" 2> /dev/null || true
    wait "$watchdog" 2> /dev/null || true
}
# One row a kind of fault, and the sum. Fails if anything was lost, twice or stale, or if no fault happened at all.
fault_table() {
    echo
    if [ ! -s "$STOCKBRIDGE_FAULT_TABLE" ]; then
        echo "faults: 0 injected, 0 lost, 0 duplicated, 0 stale"
        return 1
    fi
    awk -F '\t' -f infra/fault_table.awk "$STOCKBRIDGE_FAULT_TABLE"
}
# What counts comes last, where it is seen.
summary() {
    local ran
    ran=$(sed -n 's/.*Test run with \([0-9]*\) test.*/\1/p' .build-test.log | awk '{ sum += $1 } END { print sum + 0 }')
    failed=$(grep -E '^✘ Test .* failed after' .build-test.log | grep -vc 'Test run with' || true)
    echo
    grep -E '^✘ Test .* recorded an issue' .build-test.log | tail -n 40 || true
    [ "$ran" -gt 0 ] || { echo "test: no test ran" >&2; code=1; }
    if [ "$mode" = all ]; then fault_table || code=1; fi
    [ "$code" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
    grep -E '^✘ Test .* failed after' .build-test.log | grep -v 'Test run with' | cut -c 1-100 || true
    echo "$((ran - failed)) passed, $failed failed"
    if [ "$mode" = --faults ] || [ "$mode" = --brokers ]; then fault_table || code=1; fi
    exit "$code"
}

if [ "$mode" = --unit ]; then
    group "unit tests" --skip Integration --skip EndToEnd --skip ShopContract --skip 'FaultTests\.'
    summary
fi

trap 'infra/stack/down.sh .stack-test --remove > /dev/null || true' EXIT
if [ "$mode" = --brokers ]; then
    infra/stack/rabbitmq4.sh .stack-rabbitmq4
    export STOCKBRIDGE_RABBITMQ_ROOT=$root/.stack-rabbitmq4
fi
infra/stack/up.sh .stack-test
# shellcheck disable=SC1091
. .stack-test/environment
if [ "$mode" = --faults ]; then
    export STOCKBRIDGE_FAULT_SEEDS=${SEEDS:-20}
    group "faults over $STOCKBRIDGE_FAULT_SEEDS seeds" --filter 'FaultTests\.'
    summary
fi
if [ "$mode" = --brokers ]; then
    group "the client on RabbitMQ 4" --filter RabbitMQIntegration --skip AloneTests
    group "the broker's memory alarm" --filter MemoryAlarmAloneTests
    group "what depends on the broker" \
        --filter 'MessagingIntegration|DeadLettersIntegration|NotifierIntegration|BrokerTraitTests'
    group "some faults" --filter 'FaultTests.(PublisherFaults|IngestorAndNotifierFaults|ServerFaults)'
    summary
fi
group "unit tests" --skip Integration --skip EndToEnd --skip ShopContract --skip 'FaultTests\.'
group "contracts of the connectors" --filter ShopContract
group "integration with real servers" --filter Integration --skip AloneTests
group "what needs a server or the memory for itself" --filter AloneTests --no-parallel
group "end to end, and faults" --filter 'EndToEnd|FaultTests\.'
summary
