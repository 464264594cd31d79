# shellcheck shell=bash
# What the scripts of this folder share. Sourced.

# shellcheck disable=SC2034 # used by the scripts that source this
services=(stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier)

# The second line of each script says how it is called.
usage() {
    sed -n '2s/^# /usage: /p' "$0" >&2
    exit 2
}
say() { printf '%s\n' "$(basename "$0"): $*"; }
die() {
    printf '%s\n' "$(basename "$0"): $*" >&2
    exit 1
}
