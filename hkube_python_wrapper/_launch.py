"""The command `hkube-wrapper`, and the file that Algorunner.Run executes.

Unlike `python -m wrapper`, it finds the right package even in a folder that contains a
`wrapper.py`. It imports nothing before the user's folders are last in sys.path.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = ("WORKER_", "ALGORITHM_", "HKUBE_")


def command() -> int:
    """Run the command line of a person or a container; return the exit code."""
    from hkube_python_wrapper._import_path import add_what_isolation_leaves_out

    if sys.argv[1:] not in ([], ["health"]):  # these need to start fast, and only the library
        add_what_isolation_leaves_out()
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    return main(["--help"] if wants_help(sys.argv[1:], is_terminal, os.environ) else None)


def main(arguments: list[str] | None = None) -> int:
    """Run the wrapper's command line; return the exit code."""
    from hkube_python_wrapper._import_path import users_last

    users_last()
    from hkube_python_wrapper._core import load_core

    code: int = load_core([]).module("__main__").main(arguments)
    return code


def wants_help(arguments: list[str], is_terminal: bool, environ: "Mapping[str, str]") -> bool:
    """Return whether a person is trying the command, and not a container starting to serve."""
    is_set_up = any(name.startswith(_SETTINGS) for name in environ)
    return not arguments and is_terminal and not is_set_up


if __name__ == "__main__":
    # Python puts a script's folder first into sys.path; replace it by the folder above.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
