"""The waiting of a call with ``blocking=True``."""

from __future__ import annotations

from threading import TIMEOUT_MAX, Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .call import ApiCall


class Waiter:
    """A thread that waits in a blocking call: a lock is the lightest thing to wait on."""

    __slots__ = ("_error", "_gate", "_result", "call")

    def __init__(self, call: ApiCall) -> None:
        self.call = call
        self._result: Any = None
        self._error: BaseException | None = None
        self._gate = Lock()
        self._gate.acquire()

    def end(self, result: Any, error: BaseException | None) -> None:
        """Let the waiting thread go on, with the result, or the error if there is one."""
        self._result = result
        self._error = error
        self._gate.release()

    def wait(self, seconds: float | None) -> bool:
        """Wait for the end; a signal handler that raises breaks it off. False: time is up."""
        return self._gate.acquire(True, -1 if seconds is None else min(seconds, TIMEOUT_MAX))

    def take(self) -> Any:
        """The result, or the error raised; once, after the end."""
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # the traceback holds this frame: no cycle, memory stays flat
