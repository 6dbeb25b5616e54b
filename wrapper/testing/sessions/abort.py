"""Ends the process when user code cannot be stopped in any other way."""

from __future__ import annotations

import faulthandler
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class LastResort:
    """Ends the process and says why.

    Attributes:
        stderr: File descriptor for the message; it must bypass pytest's capturing.
        has_timer: Whether the timer of ``faulthandler`` may be used; a process has only one.
    """

    stderr: int = 2
    has_timer: bool = True

    def arm(self, seconds: float) -> None:
        """End the process after a number of seconds, even if C code blocks the interpreter."""
        if self.has_timer:
            faulthandler.dump_traceback_later(seconds, exit=True, file=self.stderr)

    def disarm(self) -> None:
        """Cancel the timer set by ``arm``."""
        if self.has_timer:
            faulthandler.cancel_dump_traceback_later()

    def end(self, text: str) -> None:
        """Write a message and the stacks of all threads, then end the process."""
        try:
            os.write(self.stderr, f"\n{text}\n".encode())
            faulthandler.dump_traceback(self.stderr, all_threads=True)
        finally:
            os._exit(1)
