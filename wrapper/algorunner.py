"""`Algorunner.Run(start=…)`: starting the wrapper from a user's own script."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .ipc.frames import CHANNEL_VARIABLE

Function = Callable[..., Any]


def run(
    start: Function | None,
    initialize: Function | None = None,
    stop: Function | None = None,
    exit: Function | None = None,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Serve the worker with these functions; do not return.

    The script's process becomes the supervisor (by exec, which frees the memory of the script's
    imports). The supervisor then runs the same script again as the algorithm process. Under a
    debugger, or without a script, everything stays in this process.

    Args:
        start: runs a task; None: serve the module that the environment names.
        initialize: called before each `start`.
        stop: called when the task has to stop.
        exit: called before the process ends.
        settings: environment variables to set.
    """
    if CHANNEL_VARIABLE in os.environ:
        _serve_as_algorithm(start, initialize, stop, exit)
    if f"{__package__}.algorithm.serve" in sys.modules:
        # The wrapper is loading this module right now, and the module's top level called us.
        print("Algorunner.Run is ignored: this module is already being served", file=sys.stderr)
        return
    os.environ.update(settings or {})
    script = None if start is None else _command_of_script()
    if start is not None and (script is None or _is_debugged()):
        _serve_here(start, initialize, stop, exit)
    _become_supervisor(script)


def _serve_as_algorithm(
    start: Function | None,
    initialize: Function | None,
    stop: Function | None,
    leave: Function | None,
) -> None:
    from hkube_python_wrapper._import_path import import_needed_later, users_last

    users_path = list(sys.path)
    users_last()
    from .algorithm.loading.loader import UserAlgorithm, from_functions
    from .algorithm.serve import serve_process
    from .config.settings import Config

    if start is None:
        raise TypeError(
            "Algorunner.Run: start is None now, but was a function when the script ran first"
        )
    function = start

    def load() -> UserAlgorithm:
        import_needed_later(users_path)
        sys.path[:] = users_path
        return from_functions(function, initialize, stop, leave)

    serve_process(Config.from_environ(os.environ, os.getcwd()), load)


def _serve_here(
    start: Function,
    initialize: Function | None,
    stop: Function | None,
    leave: Function | None,
) -> None:
    from .algorithm.loading.loader import from_functions
    from .in_process.serve import leave_threads, serve_in_process

    code = serve_in_process(os.environ, lambda: from_functions(start, initialize, stop, leave))
    sys.exit(leave_threads(code))


def _become_supervisor(script: list[str] | None) -> None:
    import hkube_python_wrapper._launch as launch
    from hkube_python_wrapper._instrumentation import restore_tool

    restore_tool()
    command = [sys.executable, "-Iu", launch.__file__]
    if script is not None:
        command += ["--algorithm-command", *script]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)


def _command_of_script() -> list[str] | None:
    """Return the command that runs this script again; None without a script (in a notebook)."""
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    if file is None or os.name != "posix":
        return None
    command = [sys.executable, *sys.orig_argv[1:]]
    if getattr(main, "__spec__", None) is None:
        # The script may have changed the working directory.
        command[len(command) - len(sys.argv)] = os.path.abspath(file)
    return command


def _is_debugged() -> bool:
    if "pydevd" in sys.modules or "debugpy" in sys.modules:
        return True
    # pdb and similar debuggers. Coverage tools trace too, but with another function.
    bdb = sys.modules.get("bdb")
    return bdb is not None and isinstance(getattr(sys.gettrace(), "__self__", None), bdb.Bdb)
