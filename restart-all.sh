#!/usr/bin/env bash
# Stops a running Overwatch, starts it again in the background, and waits until it answers.
# Options are those of ./run; the output goes to .cache/overwatch.log.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$root/tools/common.sh"

pid_file=${OVERWATCH_PID_FILE:-$cache/overwatch.pid}
port=${OVERWATCH_PORT:-8000}
bind=${OVERWATCH_BIND:-127.0.0.1}
previous=
for argument in "$@"; do
    case $argument in
    --port=*) port=${argument#*=} ;;
    --bind=*) bind=${argument#*=} ;;
    --pid-file=*) pid_file=${argument#*=} ;;
    *) case $previous in
        --port) port=$argument ;;
        --bind) bind=$argument ;;
        --pid-file) pid_file=$argument ;;
        esac ;;
    esac
    previous=$argument
done
case $bind in
0.0.0.0 | :: | '*') host=127.0.0.1 ;;
*:*) host="[$bind]" ;;
*) host=$bind ;;
esac
url="http://$host:$port"

# The pid file counts only while it names a process of this program: pids are used again.
running_pid() {
    local pid
    pid=$(cat "$pid_file" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = overwatch ] && echo "$pid"
}

answers() {
    node -e 'fetch(process.argv[1], { signal: AbortSignal.timeout(2000) })
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

is_gone() { ! kill -0 "$1" 2>/dev/null; }

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
