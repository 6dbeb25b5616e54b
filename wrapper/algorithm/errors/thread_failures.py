"""What is said of an exception that ends a thread of the user's."""

from __future__ import annotations

import sys
import threading

from ...errors import AlgorithmStopped


def install() -> None:
    """Have such exceptions told by their user's frames, in place of Python's own words."""
    threading.excepthook = _tell


def _tell(args: threading.ExceptHookArgs) -> None:
    # A stop ends the calls that a thread waits in; like SystemExit, it is no failure.
    if args.exc_value is None or isinstance(args.exc_value, (SystemExit, AlgorithmStopped)):
        return
    from .report import report_exception

    report = report_exception(args.exc_value)
    name = args.thread.name if args.thread is not None else "of the user's"
    text = f"Exception in thread {name}: {report.message}\n{report.details}\n"
    try:
        sys.stderr.write(text)
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed, or None
