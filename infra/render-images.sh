#!/bin/bash
# infra/render-images.sh [DIRECTORY [OUTPUT]]
# Renders what a demo's day left behind as pictures for the documentation: the General Manager's mail as a desktop and a
# phone show it, and the first sheets of an order report and of the reconciliation's workbook.
# DIRECTORY (default: .stack) is the demo's; OUTPUT (default: docs/images) is where the PNG files go.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stack=$(realpath "${1:-$root/.stack}")
output=$(realpath -m "${2:-$root/docs/images}")
"$root/infra/install.sh" render
mkdir -p "$output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

/usr/bin/python3 "$root/infra/demo/unpack_mails.py" "$stack/mail" "$work"

# A page as a window of that width shows it. Chromium is run as whoever calls this, so without its sandbox for root.
picture() {
    local page=$1 width=$2 height=$3 file=$4
    chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=2 \
        --user-data-dir="$work/chromium" --window-size="$width,$height" --screenshot="$output/$file" \
        "file://$page" > "$work/chromium.log" 2>&1 || { cat "$work/chromium.log" >&2; exit 1; }
    echo "$output/$file"
}

# The upper left part of a workbook's first page, on which all columns stand side by side: 1600 by 700 pixels.
sheet() {
    local workbook=$1 file=$2 resolution=$3
    # Only the first page: the reconciliation has a row for every listing.
    local first='pdf:calc_pdf_Export:{"PageRange":{"type":"string","value":"1"}}'
    soffice --headless -env:UserInstallation="file://$work/office" --convert-to "$first" --outdir "$work" "$workbook" \
        > "$work/office.log" 2>&1 || { cat "$work/office.log" >&2; exit 1; }
    pdftoppm -png -r "$resolution" -f 1 -l 1 -x "$((resolution * 6 / 10))" -y "$((resolution * 6 / 10))" \
        -W 1600 -H 700 -singlefile "$work/$(basename "${workbook%.xlsx}").pdf" "$output/${file%.png}"
    echo "$output/$file"
}

picture "$work/reconciliation.html" 700 1180 reconciliation-mail.png
# Chromium's window is never narrower than 500 points: a frame of a phone's width stands in for the phone.
frame='<iframe src="reconciliation.html" width="390" height="1400" frameborder="0">'
printf '<!doctype html><body style="margin:0">%s' "$frame" > "$work/phone.html"
picture "$work/phone.html" 500 1540 reconciliation-mail-phone.png
sheet "$work/order-report.xlsx" order-report.png 1100
sheet "$work/reconciliation.xlsx" reconciliation-workbook.png 200
