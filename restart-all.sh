#!/usr/bin/env bash
# Stops a running Overwatch, starts it again in the background, and waits until it answers.
# Options are those of ./run; the output goes to .cache/overwatch.log.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/tools/common.sh"

# option NAME DEFAULT FLAG…: what the program will take for it: the last flag, the environment, the
# configuration file, the default.
option() {
    local name=$1 value=$2 variable previous= argument line
    shift 2
    variable=OVERWATCH_$(tr 'a-z-' 'A-Z_' <<<"$name")
    if [ -n "${config:-}" ] && [ -r "$config" ]; then
        line=$(sed -nE "s/^[[:space:]]*$name[[:space:]]*=[[:space:]]*\"?([^\"]*[^\"[:space:]])\"?[[:space:]]*\$/\1/p" "$config")
        value=${line:-$value}
    fi
    value=${!variable:-$value}
    for argument in "$@"; do
        case $argument in
        "--$name="*) value=${argument#*=} ;;
        *) [ "$previous" != "--$name" ] || value=$argument ;;
        esac
        previous=$argument
    done
    printf '%s\n' "$value"
}

config=
config=$(option config "" "$@")
pid_file=${OVERWATCH_PID_FILE:-$cache/overwatch.pid} # ./run sets it, so the file does not count
pid_file=$(config='' option pid-file "$pid_file" "$@")
port=$(option port 8000 "$@")
bind=$(option bind 127.0.0.1 "$@")
scheme=http
[ -z "$(option tls-cert "" "$@")" ] || scheme=https
case $bind in
0.0.0.0 | :: | '*') host=127.0.0.1 ;;
*:*) host="[$bind]" ;;
*) host=$bind ;;
esac
url="$scheme://$host:$port"

# The pid file counts only while it names a process of this program: pids are used again.
running_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = overwatch ] && echo "$pid"
}

# Whoever the certificate is for: it is this machine that is asked.
answers() {
    NODE_TLS_REJECT_UNAUTHORIZED=0 NODE_NO_WARNINGS=1 node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(2000) })
        .then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' "$url/healthz"
}

# wait_until SECONDS COMMAND…
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# One that ended stays as a zombie where nobody asks for it, as in containers without an init.
is_gone() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# Built first, so that the pause between stop and start is short and a broken build stops nothing.
"$root/tools/install.sh"

if pid=$(running_pid); then
    say "Stopping Overwatch (process $pid)"
    kill -TERM "$pid"
    if ! wait_until 10 is_gone "$pid"; then
        say "It did not stop within 10 seconds and is ended by force."
        kill -KILL "$pid"
        wait_until 5 is_gone "$pid" || fail "Process $pid cannot be ended." "look at it with: ps $pid"
    fi
elif answers; then
    fail "Another program answers at $url, and it was not started by ./run." \
        "stop it, or choose another port with --port"
fi

log="$cache/overwatch.log"
OVERWATCH_PID_FILE=$pid_file setsid "$root/run" "$@" </dev/null >"$log" 2>&1 &
started=$!
answers_or_ended() { answers || is_gone "$started"; }
wait_until 60 answers_or_ended || true
if ! answers; then
    tail -n 20 "$log" >&2
    fail "Overwatch did not start." "read ${log#"$root"/}"
fi
echo "$url/"
