"""Saying how an algorithm process died: in the log, and where Kubernetes shows it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from . import crash_report

if TYPE_CHECKING:
    from ...log import Log

_PACKAGE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class CrashReporter:
    """Knows how much memory trouble there was before, so that it can tell what is new.

    Args:
        log: the wrapper's log.
        termination_log: path of the file that Kubernetes reads.
    """

    def __init__(self, log: Log, termination_log: str) -> None:
        self._log = log
        self._termination_log = termination_log
        self._before = crash_report.read_memory_state()

    def crashed(self, status: int, stacks: str) -> None:
        """The algorithm process died by itself with this wait status."""
        after = crash_report.read_memory_state()
        text = crash_report.describe_death(status, stacks, self._before, after, _PACKAGE)
        self._log.error(text)
        # Kubernetes makes the file; where it did not, nobody wants one in /dev.
        if os.path.exists(self._termination_log) or not self._termination_log.startswith("/dev/"):
            crash_report.write_termination_log(self._termination_log, text)

    def stuck(self, stacks: str) -> None:
        """It is about to be killed; these are the stacks of its threads."""
        frames = crash_report.user_frames(stacks, _PACKAGE)
        if frames:
            self._log.warning("where the algorithm is stuck, innermost line first:\n" + frames)
        else:
            self._log.warning("no Python stack of the stuck algorithm could be had")
