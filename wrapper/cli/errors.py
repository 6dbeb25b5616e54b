"""How a command ends that does not end well."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import FrameType
from typing import NoReturn

import typer

from ..errors import WrapperError
from ..text.exit_codes import exit_code_of_signal
from ..text.redaction import redacted
from .std_streams import give_up_stdout

FAILED, USAGE, INTERRUPTED = 1, 2, 130
UNREAD = 141
"""128 + SIGPIPE, as for other programs."""


_WANTS_JSON: ContextVar[bool] = ContextVar("wants_json", default=False)


@contextmanager
def json_errors(wanted: bool) -> Iterator[None]:
    """Print the errors inside as JSON on stdout too, for programs that asked for JSON."""
    token = _WANTS_JSON.set(wanted)
    try:
        yield
    finally:
        _WANTS_JSON.reset(token)


def say_error(code: str, text: str, as_json: bool | None = None) -> None:
    """Print why a command ends: on stderr, and under --json also as an object on stdout."""
    text = redacted(text)
    print(f"error: {text}", file=sys.stderr)
    if _WANTS_JSON.get() if as_json is None else as_json:
        print(json.dumps({"error": {"code": code, "message": text}}), flush=True)


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn what is wrong with a command's options into a sentence on stderr and an exit code.

    So is what the machine refuses, such as a disk that is full. If whoever reads stdout has gone,
    as with `| head -1`, it ends with 141 and no word.

    Ctrl-C, where the command does not deal with it, ends with 130, SIGTERM with 143, and a terminal
    that is closed with 129; each way what the command has started is ended by its context managers.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as below nohup
            signal.signal(number, _terminated)
    try:
        yield
    except WrapperError as error:
        say_error(error.code, str(error))
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
    """Let a command that has run user code end as a container does, whatever threads are left."""
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
