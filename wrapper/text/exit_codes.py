"""Exit codes in words."""

from __future__ import annotations

import signal
from contextlib import suppress


def exit_code_text(code: int) -> str:
    """Return `exit code 139 (SIGSEGV)`, or `exit code 3` if the code means no signal."""
    text = f"exit code {code}"
    if code > 128:
        with suppress(ValueError):
            text += f" ({signal.Signals(code - 128).name})"
    return text


def process_ended(code: int) -> str:
    """Return the sentence about an algorithm process that ended by itself."""
    return f"the process ended with {exit_code_text(code)}"
