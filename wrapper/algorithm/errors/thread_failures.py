"""Reports an exception that ends one of the user's threads."""

from __future__ import annotations

import sys
import threading

from ...errors import AlgorithmStopped


def install() -> None:
    """Report such exceptions with the user's frames, instead of Python's traceback."""
    threading.excepthook = _report


def _report(args: threading.ExceptHookArgs) -> None:
    # A stop ends the calls that a thread waits in. Like SystemExit, it is not a failure.
    if args.exc_value is None or isinstance(args.exc_value, (SystemExit, AlgorithmStopped)):
        return
    from .report import report_exception

    report = report_exception(args.exc_value)
    name = args.thread.name if args.thread is not None else "(unknown)"
    text = f"Exception in thread {name}: {report.message}\n{report.details}\n"
    try:
        sys.stderr.write(text)
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed, or None
