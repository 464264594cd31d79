#!/bin/bash
# infra/bench/run.sh [--only NAME] [--runs N] [--no-build]
# Measures ours, a ceiling in C and a peer of each row, in turns, on a private stack that it starts and stops; prints
# the table and writes .stack/bench.json. Installs and builds what is missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
work=$root/.stack
mkdir -p "$work"

say() { printf '%s\n' "bench: $*"; }

infra/install.sh build stack bench

venv=$work/bench-venv
wanted=infra/bench/peers/requirements.txt
if ! cmp -s "$wanted" "$venv/installed.txt"; then
    say "installing the peers from PyPI into $venv"
    [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/installed.txt"
fi

exec /usr/bin/python3 infra/bench/run.py --root "$root" "$@"
