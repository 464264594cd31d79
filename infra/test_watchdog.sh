#!/bin/bash
# infra/test_watchdog.sh LOG
# Looks after a test run that writes to LOG. Tests that wait for each other wait for ever, so a run in which no test has
# begun or ended for SILENCE seconds (1200) is ended, after it was said which were under way and, where a debugger is at
# hand, what their threads were doing. Started and ended by infra/test.sh.
set -uo pipefail
log=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
silence=${SILENCE:-1200}

# Tests that have begun and not ended.
under_way() {
    awk '
        /^◇ Test .* started\.$/ {
            sub(/^◇ /, "")
            sub(/ started\.$/, "")
            open[$0] = 1
        }
        /^[^ ]+ Test .* (passed|failed) after / {
            sub(/^[^ ]+ /, "")
            sub(/ (with [0-9]+ test cases? )?(passed|failed) after .*/, "")
            delete open[$0]
        }
        END { for (test in open) if (test !~ /^Test (run|case)/) print "  " test }' "$log" | sort
}

threads_of() {
    if command -v gdb > /dev/null; then
        gdb -p "$1" -batch -ex "thread apply all backtrace 16" 2> /dev/null
    elif command -v lldb > /dev/null; then
        lldb -p "$1" --batch -o "thread backtrace all" 2> /dev/null
    fi | grep -E '^(Thread|\* thread|  thread)|Tests' | head -n 200
}

# Services that run within the tests write to the log too, so its age says nothing.
progress() { grep -cE '^([^ {]+ (Test|Suite) |fault: )' "$log" || true; }

last=$(progress)
since=$(date +%s)
while sleep 10 > /dev/null 2>&1 && kill -0 "$PPID" 2> /dev/null; do
    now=$(progress)
    if [ "$now" != "$last" ]; then
        last=$now
        since=$(date +%s)
    fi
    [ $(($(date +%s) - since)) -ge "$silence" ] || continue
    {
        echo "test: no test has begun or ended for $silence seconds; they are ended. Under way were:"
        under_way
        for process in $(pgrep -f "^$root/\.build/.*PackageTests\.xctest"); do
            threads_of "$process"
            pkill -KILL -P "$process"
            kill -KILL "$process"
        done
    } 2>&1 | tee -a "$log"
done
