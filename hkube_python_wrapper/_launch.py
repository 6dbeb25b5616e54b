"""The command `hkube-wrapper`, and the file that Algorunner.Run executes.

Unlike `python -m wrapper` it finds the right package even in a folder that holds a
`wrapper.py`.
"""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Run the wrapper's command line; returns the exit code."""
    from hkube_python_wrapper._core import load_core

    code: int = load_core([]).module("__main__").main()
    return code


if __name__ == "__main__":
    # As a script, this folder comes first in sys.path; the one above it is needed in its place.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.exit(main())
