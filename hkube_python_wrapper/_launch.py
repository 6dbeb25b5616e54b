"""The command `hkube-wrapper`, and the file that Algorunner.Run executes.

Unlike `python -m wrapper`, it finds the right package even in a folder that contains a
`wrapper.py`.
"""

from __future__ import annotations

import os
import sys

_COMPLETION = "_HKUBE_WRAPPER_COMPLETE"
"""Set by the shell while it completes a command; the arguments are in other variables."""

EXIT_USAGE = 2


def command() -> int:
    """Run the command line; return the exit code.

    Without a command it shows the help. It never serves by chance: `serve` does that, and so does
    `python -m wrapper`.
    """
    from hkube_python_wrapper._core import load_core

    arguments = sys.argv[1:]
    if arguments:
        return main(arguments)
    if _COMPLETION in os.environ:
        code: int = load_core([]).module("__main__").run_command([])
        return code
    main(["--help"])
    return EXIT_USAGE


def main(arguments: list[str] | None = None) -> int:
    """Run the wrapper's command line; return the exit code."""
    from hkube_python_wrapper._core import load_core

    code: int = load_core([]).module("__main__").main(arguments)
    return code


if __name__ == "__main__":
    # Python puts a script's folder first into sys.path; replace it by the folder above.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
