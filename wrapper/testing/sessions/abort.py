"""Ending a process whose user code nothing else ends."""

from __future__ import annotations

import faulthandler
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class LastResort:
    """Ends the process, and says why.

    Attributes:
        stderr: file descriptor that is shown, whatever captures the usual one.
        has_timer: the timer of `faulthandler`, of which a process has one, may be used.
    """

    stderr: int = 2
    has_timer: bool = True

    def arm(self, seconds: float) -> None:
        """End the process in so many seconds, even if C code keeps all of Python from running."""
        if self.has_timer:
            faulthandler.dump_traceback_later(seconds, exit=True, file=self.stderr)

    def disarm(self) -> None:
        """Do not end it."""
        if self.has_timer:
            faulthandler.cancel_dump_traceback_later()

    def end(self, text: str) -> None:
        """Show a text and all stacks, and end the process."""
        try:
            os.write(self.stderr, f"\n{text}\n".encode())
            faulthandler.dump_traceback(self.stderr, all_threads=True)
        finally:
            os._exit(1)
