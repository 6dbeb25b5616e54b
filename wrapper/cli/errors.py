"""Exit codes and messages of commands that fail."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import typer

from ..errors import WrapperError
from ..text.exit_codes import exit_code_of_signal
from .std_streams import give_up_stdout

FAILED, USAGE, INTERRUPTED = 1, 2, 130
UNREAD = 141
"""128 + SIGPIPE, as for other programs."""


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn usage errors and operating-system errors into a line on stderr and an exit code.

    If the reader of stdout is gone, as with `| head -1`, the command exits silently with 141.

    Unless the command handles it, Ctrl-C exits with 130, SIGTERM with 143, and closing the terminal
    with 129. In each case the command's context managers clean up what it started.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminated)
    try:
        yield
    except WrapperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        give_up_stdout()
        raise typer.Exit(UNREAD) from None
    except OSError as error:
        give_up_stdout()
        with suppress(OSError):
            print(f"error: {_sentence(error)}", file=sys.stderr)
        raise typer.Exit(FAILED) from None


@contextmanager
def no_waiting_for_threads() -> Iterator[None]:
    """End the process without waiting for threads that user code left, as a container does."""
    try:
        yield
    except typer.Exit as end:
        from ..in_process.serve import leave_threads

        leave_threads(end.exit_code)
        raise


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(exit_code_of_signal(signum))
