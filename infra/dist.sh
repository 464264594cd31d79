#!/bin/bash
# infra/dist.sh DIRECTORY [BUILD]
# Lays out what the container image needs: bin/ with the executables of BUILD (default: the release build), lib/ with
# the Swift libraries they load, libexec/ with the check of the time zones and the health check.
set -euo pipefail
[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: $0 DIRECTORY [BUILD]" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$(realpath -m "$1")
build=${2:-$("$root/infra/build-release.sh" --path)}
executables=(stock-ingestor stock-publisher order-collector erp-bridge reconciler notifier stockbridge)

rm -rf "$out.new"
mkdir -p "$out.new"/{bin,lib,libexec}
for name in "${executables[@]}"; do
    [ -x "$build/$name" ] || { echo "dist: $build/$name is missing: run infra/build-release.sh $name" >&2; exit 1; }
    cp "$build/$name" "$out.new/bin/"
done
swiftc -O "$root/infra/timezone-check.swift" -o "$out.new/libexec/timezone-check"
install -m 755 "$root/infra/healthy.sh" "$out.new/libexec/healthy"
# Test equipment, for the demo's image alone, where it was built.
mkdir "$out.new/demo"
if [ -x "$build/shop-simulator" ]; then cp "$build/shop-simulator" "$out.new/demo/"; fi

# Of the libraries only those of the toolchain: the others come from the image's own packages.
find "$out.new"/{bin,demo} "$out.new/libexec/timezone-check" -type f -exec ldd {} \; |
    awk '$3 ~ "/swift/linux/" { print $3 }' | sort -u | xargs -r cp -L -t "$out.new/lib/"
[ -n "$(ls "$out.new/lib")" ] || { echo "dist: the executables load no Swift library; link dynamically" >&2; exit 1; }
if command -v strip > /dev/null; then strip --strip-unneeded "$out.new"/{bin,demo,lib}/* 2> /dev/null || true; fi
rm -rf "$out"
mv "$out.new" "$out"
