#!/bin/sh
# Puts ONNX Runtime into a folder:
#   DEST/include/onnxruntime_c_api.h   from Debian 13's libonnxruntime-dev
#   DEST/lib/libonnxruntime.so.1       from the npm package onnxruntime-node
# Does nothing when both are there.
#
# The header is of API 21 and the library newer; the C API is made to work that way round. The
# Debian 13 library itself needs a newer libc than Debian 12 has, hence the one from npm.
set -eu

ORT_VERSION=1.30.0
HEADER_SUITE=trixie

usage() { echo "usage: $0 DEST" >&2; exit 2; }
[ $# -eq 1 ] || usage
mkdir -p "$1"
dest=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

say() { echo "onnxruntime: $*"; }
fail() { echo "onnxruntime: $*" >&2; exit 1; }

# The archive this system installs from, as apt itself resolves its configuration. Never printed:
# a private mirror's address may carry credentials.
debian_archive() {
    apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' \
        'Created-By: Packages' |
        awk -F'|' -v codename="$1" \
            '$1 == "Debian" && $2 == codename && $3 == "main" { print $4; exit }'
}

fetch_header() {
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    archive=$(debian_archive "$codename")
    [ -n "$archive" ] || fail "apt knows no Debian archive for $codename; run apt-get update first"
    say "fetching the C header from Debian $HEADER_SUITE"
    mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/deb"
    chmod 755 "$work" "$work/apt" "$work/deb"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $HEADER_SUITE main" \
        >"$work/apt/sources.list"
    # Lists and cache of their own: the system's apt state stays as it is.
    set -- -q -q -o "Dir::Etc::sourcelist=$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State::lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache" \
        -o Acquire::Languages=none -o APT::Sandbox::User=root
    apt-get "$@" update >"$work/log" 2>&1 || fail "apt-get could not read the $HEADER_SUITE index"
    (cd "$work/deb" && apt-get "$@" download libonnxruntime-dev) >"$work/log" 2>&1 ||
        fail "apt-get could not download libonnxruntime-dev"
    dpkg-deb -x "$work"/deb/libonnxruntime-dev_*.deb "$work/dev"
    mkdir -p "$dest/include"
    cp "$work"/dev/usr/include/onnxruntime/*.h "$dest/include/"
}

fetch_library() {
    case $(uname -m) in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) fail "there is no ONNX Runtime library for $(uname -m) in the npm package" ;;
    esac
    say "fetching the library, version $ORT_VERSION, from npm"
    npm pack --silent --pack-destination "$work" "onnxruntime-node@$ORT_VERSION" >"$work/log" 2>&1 ||
        fail "npm could not fetch onnxruntime-node $ORT_VERSION"
    # The one member that is needed: the whole package is several times as large.
    member=package/bin/napi-v6/linux/$machine/libonnxruntime.so.1
    tar -xzf "$work/onnxruntime-node-$ORT_VERSION.tgz" -C "$work" "$member"
    mkdir -p "$dest/lib"
    cp "$work/$member" "$dest/lib/libonnxruntime.so.1.part"
    chmod 644 "$dest/lib/libonnxruntime.so.1.part"
    mv "$dest/lib/libonnxruntime.so.1.part" "$dest/lib/libonnxruntime.so.1"
}

[ -f "$dest/include/onnxruntime_c_api.h" ] || fetch_header
[ -f "$dest/lib/libonnxruntime.so.1" ] || fetch_library
