"""The command `hkube-wrapper`, and the file that Algorunner.Run executes.

Unlike `python -m wrapper`, it finds the right package even in a folder that contains a
`wrapper.py`. It imports nothing before the user's folders are last in sys.path.
"""

import os
import sys

_COMPLETION = "_HKUBE_WRAPPER_COMPLETE"
"""Set by the shell while it completes a command; the arguments are in other variables."""

EXIT_USAGE = 2


def without_inspection() -> None:
    """Start this command again without PYTHONINSPECT, if that is set; else do nothing.

    With it, Python would take each sys.exit for an error, and lose the exit code.
    """
    if os.environ.pop("PYTHONINSPECT", ""):
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def command() -> int:
    """Run the command line; return the exit code.

    Without a command it shows the help. It never serves by chance: `serve` does that, and so does
    `python -m wrapper`.
    """
    without_inspection()
    from hkube_python_wrapper._import_path import add_what_isolation_leaves_out
    from hkube_python_wrapper._instrumentation import leave_instrumentation

    arguments = sys.argv[1:]
    if arguments:
        leave_instrumentation(arguments)
    if arguments not in (["serve"], ["health"]):  # these must start fast, and need only the library
        add_what_isolation_leaves_out()
    if arguments:
        return main(arguments)
    code = main(["--help"])  # or the shell's completion, which looks at no argument
    return code if _COMPLETION in os.environ else EXIT_USAGE


def main(arguments: list[str] | None = None) -> int:
    """Run the wrapper's command line; return the exit code."""
    from hkube_python_wrapper._import_path import users_last

    users_last()
    from hkube_python_wrapper._core import load_core

    code: int = load_core([]).module("__main__").main(arguments)
    return code


if __name__ == "__main__":
    without_inspection()
    _folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.flags.isolated:
        sys.path.insert(0, _folder)
        from hkube_python_wrapper._import_path import add_what_isolation_leaves_out

        add_what_isolation_leaves_out()
    else:
        # Python puts a script's folder first into sys.path; replace it by the folder above.
        sys.path[0] = _folder
        from hkube_python_wrapper._instrumentation import leave_instrumentation

        leave_instrumentation(sys.argv[1:])
    sys.exit(main())
