"""How a command ends that does not end well."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

import typer

from ..errors import WrapperError

FAILED, USAGE, INTERRUPTED = 1, 2, 130


@contextmanager
def command_errors() -> Iterator[None]:
    """Turn what is wrong with a command's options into a sentence on stderr and an exit code.

    Ctrl-C, where the command does not deal with it, ends with 130, and SIGTERM with 143; either
    way what the command has started is ended by its context managers.
    """
    signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    except WrapperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
