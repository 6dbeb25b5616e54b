"""Interrupts user code on the main thread, by an exception that a signal raises there."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from threading import get_ident, main_thread
from time import sleep  # here, because gevent may patch the module later

from ...errors import AlgorithmStopped
from ...ipc.frames import INTERRUPT_SIGNAL

# Seconds until the signal is sent again if Python has not handled it: a signal that arrives just
# before a blocking call does not end that call.
_PAUSES = (0.001, 0.01, 0.05, 0.25)


class Interruption:
    """Raises AlgorithmStopped on the main thread, once, while user code runs there.

    Python runs signal handlers on the main thread, between two steps of its code. So state that
    only the main thread changes needs no lock here.

    Attributes:
        user_code: a context manager for the main thread; code inside it may be interrupted.
        held: a context manager for any thread; code inside it finishes before an interruption.
        in_user_code: whether the main thread is inside `user_code`.
        pending: whether an interruption waits for the end of `held`.
        delivered: whether the running user code has had its exception.
        thread_id: of the main thread.
    """

    def __init__(self) -> None:
        self.thread_id = main_thread().ident
        self.in_user_code = False
        self.pending = False
        self.delivered = False
        self._handled = 0
        self._cancel: Callable[[], None] | None = None
        self.user_code = _UserCodeSection(self)
        self.held = _HeldSection(self)

    def install(self) -> None:
        """Install the signal handler; from the main thread."""
        if hasattr(signal, "pthread_kill"):
            signal.signal(INTERRUPT_SIGNAL, self._handle)

    def cancel_with(self, cancel: Callable[[], None] | None) -> None:
        """Have `cancel` called instead of raising the exception; None raises it again.

        For `async def` code, where an exception would hit the event loop.
        """
        self._cancel = cancel

    def request(self) -> None:
        """Interrupt the user code that runs now; safe from any thread."""
        if not hasattr(signal, "pthread_kill") or self.thread_id is None:
            return
        handled = self._handled
        for pause in _PAUSES:
            signal.pthread_kill(self.thread_id, INTERRUPT_SIGNAL)
            sleep(pause)
            if self._handled != handled:
                return

    def interrupt(self) -> None:
        """Interrupt the main thread if it runs user code; from the main thread."""
        self.pending = False
        if not self.in_user_code or self.delivered:
            return
        self.delivered = True
        if self._cancel is not None:
            self._cancel()
            return
        _raise_in_main_code(AlgorithmStopped("HKube stopped the task"))

    def _handle(self, number: int, frame: object) -> None:
        self._handled += 1
        if self.held.depth:
            self.pending = True
        else:
            self.interrupt()


def _raise_in_main_code(error: AlgorithmStopped) -> None:
    """Raise an exception where the user's function runs.

    While code patched by gevent waits, its event loop runs in the function's place: an exception
    there would be printed and forgotten.
    """
    gevent = sys.modules.get("gevent") if "gevent.monkey" in sys.modules else None
    if gevent is None or gevent.getcurrent() is gevent.get_hub().parent:
        raise error
    gevent.get_hub().handle_system_error(type(error), error)


class _UserCodeSection:
    """Marks code that may be interrupted."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption

    def __enter__(self) -> None:
        self._interruption.pending = self._interruption.delivered = False
        self._interruption.in_user_code = True

    def __exit__(self, *exception: object) -> None:
        self._interruption.in_user_code = False
        self._interruption.cancel_with(None)


class _HeldSection:
    """Delays an interruption until the code inside has finished."""

    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self.depth = 0

    def __enter__(self) -> None:
        if get_ident() == self._interruption.thread_id:
            self.depth += 1

    def __exit__(self, *exception: object) -> None:
        if get_ident() == self._interruption.thread_id:
            self.depth -= 1
            if self._interruption.pending and not self.depth:
                self._interruption.interrupt()

    def is_for_this_thread(self) -> bool:
        """Whether this is the main thread, the only one that can be interrupted."""
        return get_ident() == self._interruption.thread_id

    def by_this_thread(self) -> bool:
        """Whether the caller is a signal handler that runs in the middle of held code."""
        return self.depth > 0 and get_ident() == self._interruption.thread_id
