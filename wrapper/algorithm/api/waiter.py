"""Lets a call with ``blocking=True`` wait for its answer."""

from __future__ import annotations

from threading import TIMEOUT_MAX, Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import ApiCall


class Waiter:
    """A thread that waits in a blocking call. It waits on a lock, which costs the least."""

    __slots__ = ("_error", "_gate", "_result", "call")

    def __init__(self, call: ApiCall) -> None:
        self.call = call
        self._result: Any = None
        self._error: BaseException | None = None
        self._gate = Lock()
        self._gate.acquire()

    def end(self, result: Any, error: BaseException | None) -> None:
        """Wake the waiting thread with the error if there is one, or the result."""
        self._result = result
        self._error = error
        self._gate.release()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the answer, unless a signal handler raises; False after `seconds`."""
        return self._gate.acquire(True, -1 if seconds is None else min(seconds, TIMEOUT_MAX))

    def take(self) -> Any:
        """Return the result, or raise the error; once, after the answer."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # the traceback holds this frame: no cycle, memory stays flat
