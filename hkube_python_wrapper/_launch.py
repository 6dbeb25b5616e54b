"""The command `hkube-wrapper`, and the file that Algorunner.Run executes.

Unlike `python -m wrapper` it finds the right package even in a folder that holds a
`wrapper.py`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

_SETTINGS = ("WORKER_", "ALGORITHM_", "HKUBE_")


def command() -> int:
    """Run what a person or a container typed; returns the exit code."""
    is_terminal = sys.stdin is not None and sys.stdin.isatty()
    return main(["--help"] if wants_help(sys.argv[1:], is_terminal, os.environ) else None)


def main(arguments: list[str] | None = None) -> int:
    """Run the wrapper's command line; returns the exit code."""
    from hkube_python_wrapper._core import load_core

    code: int = load_core([]).module("__main__").main(arguments)
    return code


def wants_help(arguments: list[str], is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Tell a person who tries the command from a container, which serves HKube's worker."""
    is_set_up = any(name.startswith(_SETTINGS) for name in environ)
    return not arguments and is_terminal and not is_set_up


if __name__ == "__main__":
    # As a script, this folder comes first in sys.path; the one above it is needed in its place.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
