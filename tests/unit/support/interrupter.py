"""Raising an error in the main thread from a signal handler, whatever the thread waits for."""

from __future__ import annotations

import signal
from threading import Lock, main_thread

PAUSE = 0.05  # seconds
TRIES = 200


class Interrupter:
    """Raises an error in the main thread, once.

    Args:
        error: the error to raise.
    """

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._is_raised = False
        self._handled = Lock()
        self._handled.acquire()

    def handle(self, number: int, frame: object) -> None:
        """The signal's handler; later signals do nothing."""
        if not self._is_raised:
            self._is_raised = True
            self._handled.release()
            raise self._error

    def send(self, number: int) -> bool:
        """Send the signal from another thread until it is handled; False if it never is.

        A signal that arrives just before a call that blocks in C does not end that call.
        """
        for _ in range(TRIES):
            signal.pthread_kill(main_thread().ident or 0, number)
            if self._handled.acquire(timeout=PAUSE):
                return True
        return False
