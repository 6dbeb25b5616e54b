"""Waits for calls that cannot be interrupted, such as native code or a hung file system."""

from __future__ import annotations

import os
import threading
from _thread import allocate_lock, get_ident, start_new_thread
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def interruptible(act: Callable[[], T]) -> T:
    """Call `act`; an exception from a signal handler ends the wait.

    Python handles signals in the main thread. There, `act` runs in a helper thread, which is
    abandoned if the wait ends early.

    Raises:
        BaseException: The exception that `act` or the signal handler raised.
    """
    if get_ident() != threading.main_thread().ident:
        return act()
    result: T = _helpers.call(act)
    return result


class _Call:
    """A call for a helper thread.

    Attributes:
        done: locked until the call has ended.
    """

    __slots__ = ("_act", "_error", "_result", "done")

    def __init__(self, act: Callable[[], Any]) -> None:
        self._act: Callable[[], Any] | None = act
        self._result: Any = None
        self._error: BaseException | None = None
        self.done = allocate_lock()
        self.done.acquire()

    def run(self) -> None:
        act, self._act = self._act, None
        assert act is not None
        try:
            self._result = act()
        except BaseException as error:  # raised in the waiting thread
            self._error = error

    def outcome(self) -> Any:
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error  # avoids a reference cycle through the traceback


class _Helpers:
    """Threads that wait for calls. One is kept, because starting one costs more than a small write.

    Nothing here needs a lock: the main thread alone makes calls, and each step that a signal
    handler or a helper may interrupt is a single operation of a list or of a lock.
    """

    def __init__(self) -> None:
        self._idle: list[_Helper] = []

    def call(self, act: Callable[[], Any]) -> Any:
        call = _Call(act)
        try:
            self._idle.pop().begin(call)
        except IndexError:
            try:
                _Helper(self._idle).start(call)
            except RuntimeError:  # cannot start a thread; call it directly
                return act()
        call.done.acquire()
        return call.outcome()

    def forget(self) -> None:
        """Forget the threads, which do not exist in a fork of the process."""
        self._idle = []


class _Helper:
    """A thread for one call after the other.

    Args:
        idle: where it waits for the next call; only one does, and the others end.
    """

    def __init__(self, idle: list[_Helper]) -> None:
        self._idle = idle
        self._call: _Call | None = None
        self._begun = allocate_lock()
        self._begun.acquire()

    def start(self, call: _Call) -> None:
        self._call = call
        start_new_thread(self._work, ())

    def begin(self, call: _Call) -> None:
        self._call = call
        self._begun.release()

    def _work(self) -> None:
        while True:
            call, self._call = self._call, None
            assert call is not None
            call.run()
            is_kept = not self._idle
            if is_kept:
                self._idle.append(self)  # before the caller continues, who may call again
            call.done.release()
            del call  # its result may be large
            if not is_kept:
                return
            self._begun.acquire()


_helpers = _Helpers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_helpers.forget)
