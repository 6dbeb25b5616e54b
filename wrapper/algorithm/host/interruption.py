"""Ending user code that runs in the main thread, by an exception that a signal raises there."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from threading import get_ident, main_thread

from ...errors import AlgorithmStopped
from ...ipc.frames import INTERRUPT_SIGNAL

# Seconds until the signal is sent again if Python has not handled it: one that comes just before
# a call which blocks does not end that call.
_PAUSES = (0.001, 0.01, 0.05, 0.25)


class Interruption:
    """Raises AlgorithmStopped in the main thread, once, while user code runs there.

    Python runs signal handlers in the main thread, between two steps of its code: so what the
    main thread alone changes needs no lock here.

    Attributes:
        user_code: a context manager; what runs inside may be interrupted.
        held: a context manager for any thread; what runs inside is finished first.
        cancel: called in place of raising the exception, where `async def` code runs.
    """

    def __init__(self) -> None:
        self._main = main_thread().ident
        self.in_user_code = False
        self.pending = False
        self.told = False  # the user's code has had its exception
        self._handled = 0
        self.cancel: Callable[[], None] | None = None
        self.user_code = _UserCode(self)
        self.held = _Held(self, self._main)

    def install(self) -> None:
        """Take the signal; from the main thread."""
        if hasattr(signal, "pthread_kill"):
            signal.signal(INTERRUPT_SIGNAL, self._handle)

    def request(self) -> None:
        """End the user's code that runs now; safe from any thread."""
        if not hasattr(signal, "pthread_kill") or self._main is None:
            return
        handled = self._handled
        for pause in _PAUSES:
            signal.pthread_kill(self._main, INTERRUPT_SIGNAL)
            time.sleep(pause)
            if self._handled != handled:
                return

    def interrupt(self) -> None:
        """End the user's code, if it is that which runs; from the main thread."""
        self.pending = False
        if not self.in_user_code or self.told:
            return
        self.told = True
        if self.cancel is not None:
            self.cancel()
            return
        raise AlgorithmStopped("HKube stopped the task")

    def _handle(self, number: int, frame: object) -> None:
        self._handled += 1
        if self.held.depth:
            self.pending = True
        else:
            self.interrupt()


class _UserCode:
    """Marks what may be interrupted."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def __enter__(self) -> None:
        self._interruption.pending = self._interruption.told = False
        self._interruption.in_user_code = True

    def __exit__(self, *exception: object) -> None:
        self._interruption.in_user_code = False
        self._interruption.cancel = None


class _Held:
    """Puts an interruption off until the end of what runs inside."""

    def __init__(self, interruption: Interruption, main: int | None) -> None:
        self._interruption = interruption
        self._main = main
        self.depth = 0

    def __enter__(self) -> None:
        if get_ident() == self._main:
            self.depth += 1

    def __exit__(self, *exception: object) -> None:
        if get_ident() == self._main:
            self.depth -= 1
            if self._interruption.pending and not self.depth:
                self._interruption.interrupt()

    def is_for_this_thread(self) -> bool:
        """Whether this is the main thread, the one that can be interrupted."""
        return get_ident() == self._main

    def by_this_thread(self) -> bool:
        """Whether this call comes from a signal handler that runs amid what is held."""
        return self.depth > 0 and get_ident() == self._main
