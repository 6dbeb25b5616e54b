#!/bin/sh
# Entry point of the image. Arguments of `docker run IMAGE ...`:
#   none, or serve               serve HKube's worker
#   run, check, ... or --option  run the local tool of this name
#   a program with arguments     run the program
set -eu

PROCESS_ONE=/hkube/process_one.py
LOGS=/hkube-logs

# Is the argument a program? `command -v` would also accept functions and builtins of this shell.
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

# Serve, and copy the output to the folder where HKube's worker reads it, if that folder exists.
serve() {
    if [ -d "$LOGS" ] && [ -w "$LOGS" ]; then
        # -I -S: starts quickly, and never imports a module of the user.
        exec python3 -I -S "$PROCESS_ONE" "$LOGS/stdout.log" "$@"
    fi
    exec "$@"
}

case "${1-}" in
    '')
        serve hkube-wrapper serve
        ;;
    serve)
        if [ $# -eq 1 ]; then
            serve hkube-wrapper serve
        fi
        exec hkube-wrapper "$@"
        ;;
    # The commands of hkube-wrapper; a test compares them with its command line.
    run | dev | check | init | build | pipeline | apply | exec)
        # They work in the current folder: change to the algorithm's.
        if [ "$PWD" = /hkube/algorithm-runner ]; then
            cd "${ALGORITHM_PATH:-algorithm_unique_folder}"
        fi
        exec hkube-wrapper "$@"
        ;;
    worker | health | -*)
        exec hkube-wrapper "$@"
        ;;
    python | python3)
        # HKube's own builder starts an algorithm with: python -u app.py
        case "$*" in
            *' app.py') serve "$@" ;;
        esac
        exec "$@"
        ;;
esac

if is_program "$1"; then
    exec "$@"
fi
exec hkube-wrapper "$@" # it reports the unknown command
