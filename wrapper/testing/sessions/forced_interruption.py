"""Ends user code that swallows the exception raised by a stop."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ...algorithm.errors.user_frames import STANDARD_LIBRARY, WRAPPER_FOLDER, is_inside
from ...algorithm.host.interruption import Interruption
from ...errors import AlgorithmStopped

_TEXT = "HKube would have killed the algorithm's process"


class ForcedInterruption(Interruption):
    """An interruption that can be repeated where HKube would kill the process."""

    def __init__(self) -> None:
        super().__init__()
        self._is_forced = False
        self._over = False
        self._tracer: Any = None

    def begin(self) -> None:
        """Prepare for user code; call it from the main thread."""
        self._is_forced = self._over = False
        self._tracer = sys.gettrace()

    def end(self) -> None:
        """Raise nothing any more: user code has ended; call it from the main thread."""
        self._over = True
        if self._is_forced:
            sys.settrace(self._tracer)  # restore a coverage tool or debugger

    def force(self) -> None:
        """Raise AlgorithmStopped in the main thread, whatever it runs; safe from any thread."""
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
    """Raise again at the next line of user code, which an `except` would otherwise reach."""

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            raise AlgorithmStopped(_TEXT)  # this also ends the tracing
        return trace

    while frame is not None and not is_inside(frame.f_code.co_filename, WRAPPER_FOLDER):
        # In the standard library, it would only hit clean-up code.
        if not is_inside(frame.f_code.co_filename, STANDARD_LIBRARY):
            frame.f_trace = trace
        frame = frame.f_back
    sys.settrace(lambda frame, event, argument: None)
