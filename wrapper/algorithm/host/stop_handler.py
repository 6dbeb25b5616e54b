"""Calls the user's `stop` and `exit`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Lock
from typing import Any

from ...errors import DecodingError
from ...ipc.frames import Frame, FrameKind
from ...protocol.encoding.encoding import Encoding
from .failure_reporter import FailureReporter
from .native_thread import NativeThread
from .user_code import UserCode, UserCodeOutcome

# How many seconds the user's `exit` waits for a user's `stop` that still runs.
_STOP_PATIENCE = 2.0


class StopHandler:
    """Calls the user's `stop` once per stop, on the thread that is free for it.

    Each STOP and EXIT frame arrives twice. The listening thread sees it first: if user code runs
    on the main thread, it calls `stop` in a new thread beside that code. The main thread sees the
    frame when it is free: it waits for that thread, or calls `stop` itself.

    Args:
        user: the user's code.
        encoding: the encoding of the frames' payloads.
        reporter: logs what `stop` and `exit` raise.
    """

    def __init__(self, user: UserCode, encoding: Encoding, reporter: FailureReporter) -> None:
        self._user = user
        self._encoding = encoding
        self._reporter = reporter
        # Held while the two threads agree on which of them handles a stop.
        self._lock = Lock()
        self._stop_thread: NativeThread | None = None
        self._stops_on_main_thread = False

    def stop_running_code(self, frame: Frame) -> None:
        """Call the user's `stop` beside user code that runs; from the listening thread."""
        user = self._user
        with self._lock:
            if not user.advance(frame.generation):
                return  # the main thread was idle and has handled this frame already
            algorithm = user.algorithm
            stop = None if algorithm is None else algorithm.stop
            is_called = self._stops_on_main_thread or self._stop_thread is not None
            if user.running and not is_called and self._is_forced(frame):
                self._reporter.log_stop(user.running_place())
            if user.running and not is_called and stop is not None:
                data = self._data_of(frame)
                self._stop_thread = NativeThread(lambda: self._stop_beside(stop, data))
                self._stop_thread.start()

    def complete_stop(self, frame: Frame) -> None:
        """Wait for the user's `stop`, or call it; from the main thread, when no user code runs.

        Before an exit, `stop` is not called, and waited for only some seconds.
        """
        is_exit = frame.kind == FrameKind.EXIT
        with self._lock:
            self._user.advance(frame.generation)
            thread, self._stop_thread = self._stop_thread, None
        if thread is not None:
            thread.join(_STOP_PATIENCE if is_exit else None)
            return
        algorithm = self._user.algorithm
        if is_exit or algorithm is None or algorithm.stop is None:
            return
        self._stops_on_main_thread = True
        self._log_failure("stop", self._call(algorithm.stop, frame))
        self._stops_on_main_thread = False

    def call_exit(self, frame: Frame) -> int:
        """Call the user's `exit`, if there is one; from the main thread.

        Returns:
            The exit code of the `sys.exit` that it called, or 0.
        """
        algorithm = self._user.algorithm
        if algorithm is None or algorithm.exit is None:
            return 0
        # An interruption that was meant for the task must not reach `exit`.
        outcome = self._call(algorithm.exit, frame, interruptible=False)
        if outcome.exit is not None:
            return _exit_code(outcome.exit.code)
        self._log_failure("exit", outcome)
        return 0

    def _call(
        self, function: Callable[[Any], Any], frame: Frame, interruptible: bool = True
    ) -> UserCodeOutcome:
        return self._user.call(
            lambda: function(self._data_of(frame)), frame.generation, interruptible
        )

    def _log_failure(self, name: str, outcome: UserCodeOutcome) -> None:
        if outcome.report is not None:
            self._reporter.log_failure(f"the algorithm's {name} failed", outcome.report)

    def _stop_beside(self, stop: Callable[[Any], Any], data: Any) -> None:
        outcome = self._user.call_beside(lambda: stop(data))
        if outcome.report is not None:
            self._reporter.log_failure("the algorithm's stop failed", outcome.report)
            self._user.interrupt()  # the user's `stop` will not end the running code any more

    def _is_forced(self, frame: Frame) -> bool:
        """Whether a frame ends a task early; a graceful stop is the usual end of a stream."""
        if frame.kind != FrameKind.STOP:
            return False
        data = self._data_of(frame)
        return not (isinstance(data, dict) and data.get("forceStop") is False)

    def _data_of(self, frame: Frame) -> Any:
        """The data of a `stop` or `exit` message, for the user's function; {} without any."""
        if not frame.payload:
            return {}
        try:
            message = self._encoding.decode(frame.payload)
        except DecodingError:
            return {}
        data = message.get("data") if isinstance(message, dict) else None
        return {} if data is None else data


def _exit_code(given: object) -> int:
    """Do with the argument of `sys.exit` what Python does at its end; return the exit code."""
    if given is None or isinstance(given, int):
        return (given or 0) & 0xFF
    print(given, file=sys.stderr, flush=True)
    return 1
