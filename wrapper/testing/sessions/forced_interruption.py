"""Ending user code that swallows the exception that a stop raises in it."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ...algorithm.errors.user_frames import STANDARD_LIBRARY, WRAPPER_FOLDER, is_inside
from ...algorithm.host.interruption import Interruption
from ...errors import AlgorithmStopped

_TEXT = "HKube would have killed the algorithm's process"


class ForcedInterruption(Interruption):
    """An interruption that can be insisted on, where a process would be killed."""

    def __init__(self) -> None:
        super().__init__()
        self._is_forced = False
        self._over = False
        self._tracer: Any = None

    def begin(self) -> None:
        """User code is about to run; from the main thread."""
        self._is_forced = self._over = False
        self._tracer = sys.gettrace()

    def end(self) -> None:
        """It has ended: nothing is raised any more; from the main thread."""
        self._over = True
        if self._is_forced:
            sys.settrace(self._tracer)  # of a coverage tool or a debugger

    def force(self) -> None:
        """Raise AlgorithmStopped in the main thread, whatever runs there; from any thread."""
        self._is_forced = True
        self.request()

    def _handle(self, number: int, frame: FrameType | None) -> None:  # type: ignore[override]
        if not self._is_forced or self._over:
            super()._handle(number, frame)
            return
        self._handled += 1
        _raise_at_each_line(frame)
        raise AlgorithmStopped(_TEXT)


def _raise_at_each_line(frame: FrameType | None) -> None:
    """Raise again at the next line of the user's code: that is where an `except` takes it to."""

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            raise AlgorithmStopped(_TEXT)  # which ends the tracing, too
        return trace

    while frame is not None and not is_inside(frame.f_code.co_filename, WRAPPER_FOLDER):
        # In a library it would be spent on the lines that tidy up.
        if not is_inside(frame.f_code.co_filename, STANDARD_LIBRARY):
            frame.f_trace = trace
        frame = frame.f_back
    sys.settrace(lambda frame, event, argument: None)
