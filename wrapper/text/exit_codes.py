"""Exit codes: made from signals, and as a person reads them."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_SIGNALS_FROM = 128


def exit_code_of_signal(number: int) -> int:
    """Return the exit code that a shell or container shows for a process ended by a signal."""
    return _SIGNALS_FROM + number


def exit_code_of_status(status: int) -> int:
    """Return the exit code of a container whose process ended with this wait status."""
    if os.WIFSIGNALED(status):
        return exit_code_of_signal(os.WTERMSIG(status))
    return os.WEXITSTATUS(status)


def exit_code_text(code: int) -> str:
    """Return `exit code 139 (SIGSEGV)`, or `exit code 3` if the code means no signal."""
    text = f"exit code {code}"
    if code > _SIGNALS_FROM:
        with suppress(ValueError):
            text += f" ({signal.Signals(code - _SIGNALS_FROM).name})"
    return text


def process_ended(code: int) -> str:
    """Return the sentence about an algorithm process that ended by itself."""
    return f"the process ended with {exit_code_text(code)}"
