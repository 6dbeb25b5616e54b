#!/bin/sh
# What the image does with the words of `docker run IMAGE WORDS`:
#   none                         serves HKube's worker
#   run, check, ... or --option  the local tool of this name
#   a program with arguments     runs it
set -eu

PROCESS_ONE=/hkube/process_one.py
LOGS=/hkube-logs

# Whether this names a program. `command -v` would not do: it knows words of this shell besides.
is_program() (
    case "$1" in
        */*)
            [ -f "$1" ] && [ -x "$1" ]
            exit
            ;;
    esac
    set -f
    IFS=:
    for folder in $PATH; do
        if [ -f "${folder:-.}/$1" ] && [ -x "${folder:-.}/$1" ]; then
            exit
        fi
    done
    exit 1
)

# Serve, with a copy of the output where HKube's worker reads it, if there is such a place.
serve() {
    if [ -d "$LOGS" ] && [ -w "$LOGS" ]; then
        # -I -S: quick to start, and no module of the user's can get in its way.
        exec python3 -I -S "$PROCESS_ONE" "$LOGS/stdout.log" "$@"
    fi
    exec "$@"
}

case "${1-}" in
    '')
        serve hkube-wrapper
        ;;
    # The words of the wrapper's command line; a test holds them against it.
    run | check | init | build | pipeline)
        # They look at the folder they are in: here, the algorithm's.
        if [ "$PWD" = /hkube/algorithm-runner ]; then
            cd "${ALGORITHM_PATH:-algorithm_unique_folder}"
        fi
        exec hkube-wrapper "$@"
        ;;
    worker | health | -*)
        exec hkube-wrapper "$@"
        ;;
    python | python3)
        # As HKube's own builder starts an algorithm: python -u app.py
        case "$*" in
            *' app.py') serve "$@" ;;
        esac
        exec "$@"
        ;;
esac

if is_program "$1"; then
    exec "$@"
fi
exec hkube-wrapper "$@" # which says what it does not know
