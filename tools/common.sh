# Shared by install.sh, run, test and restart-all.sh: messages and steps. Sourced, not run.

cache="$root/.cache"

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "Overwatch: $1"
    [ $# -lt 2 ] || say "What to do: $2"
    exit 1
}

# step NAME "what and why" "what to do when it fails" COMMAND…
# Prints one line, keeps the command's output in .cache/log/NAME.log and shows its end on failure.
step() {
    local name=$1 what=$2 advice=$3 log
    shift 3
    log="$cache/log/$name.log"
    mkdir -p "$cache/log"
    say "· $what"
    if ! "$@" </dev/null >"$log" 2>&1; then
        tail -n 25 "$log" >&2
        say "Overwatch: this step failed: $what"
        say "The whole output is in ${log#"$root"/}"
        say "What to do: $advice"
        exit 1
    fi
}

# The content of the files named on standard input (one a line), as one checksum.
checksum_of() { sort | tr '\n' '\0' | xargs -0 -r sha256sum | sha256sum | cut -d ' ' -f 1; }

# stamped FILE VALUE: whether FILE holds VALUE, that is whether a step was done for this input.
stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
