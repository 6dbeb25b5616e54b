"""Exit codes as a person reads them."""

from __future__ import annotations

import signal
from contextlib import suppress


def exit_code_text(code: int) -> str:
    """Return `exit code 139 (SIGSEGV)`, or `exit code 3` where no signal is meant."""
    text = f"exit code {code}"
    if code > 128:
        with suppress(ValueError):
            text += f" ({signal.Signals(code - 128).name})"
    return text


def process_ended(code: int) -> str:
    """Return the sentence about an algorithm's process that has ended by itself."""
    return f"the process ended with {exit_code_text(code)}"
