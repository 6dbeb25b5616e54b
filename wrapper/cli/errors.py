"""Exit codes and messages of commands that fail."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import FrameType
from typing import NoReturn

from ..errors import WrapperError
from ..text.exit_codes import exit_code_of_signal
from ..text.redaction import redacted
from .std_streams import give_up_stdout

FAILED, USAGE, INTERRUPTED = 1, 2, 130
UNREAD = 141
"""128 + SIGPIPE, as for other programs."""


class CommandExit(Exception):
    """Ends the command, like `typer.Exit`, but without Typer, which takes long to import.

    Attributes:
        exit_code: the command's exit code.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


_WANTS_JSON: ContextVar[bool] = ContextVar("wants_json", default=False)


@contextmanager
def json_errors(wanted: bool) -> Iterator[None]:
    """Print the errors inside as JSON on stdout too, for programs that asked for JSON."""
    token = _WANTS_JSON.set(wanted)
    try:
        yield
    finally:
        _WANTS_JSON.reset(token)


def exit_code_of(command: Callable[[], object], wants_json: bool) -> int:
    """Run a command and return its exit code, whichever way it ends.

    Args:
        command: what to run; returns its exit code, or something else for 0.
        wants_json: see `json_errors`.
    """
    code: object
    try:
        with json_errors(wants_json):
            code = command()
    except SystemExit as ended:
        code = ended.code
    except CommandExit as ended:
        code = ended.exit_code
    return code if isinstance(code, int) else 0


def say_error(code: str, text: str, as_json: bool | None = None) -> None:
    """Print why a command ends: on stderr, and under --json also as an object on stdout."""
    text = redacted(text)
    print(f"error: {text}", file=sys.stderr)
    if _WANTS_JSON.get() if as_json is None else as_json:
        print(json.dumps({"error": {"code": code, "message": text}}), flush=True)


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
        say_error(error.code, str(error))
        raise CommandExit(USAGE) from None
    except KeyboardInterrupt:
        raise CommandExit(INTERRUPTED) from None
    except BrokenPipeError:
        give_up_stdout()
        raise CommandExit(UNREAD) from None
    except OSError as error:
        give_up_stdout()
        with suppress(OSError):
            print(f"error: {_sentence(error)}", file=sys.stderr)
        raise CommandExit(FAILED) from None


@contextmanager
def no_waiting_for_threads() -> Iterator[None]:
    """End the process without waiting for threads that user code left, as a container does."""
    try:
        yield
    except CommandExit as end:
        from ..in_process.serve import leave_threads

        leave_threads(end.exit_code)
        raise


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(exit_code_of_signal(signum))
