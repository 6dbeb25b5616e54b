"""An error that a signal's handler raises in the main thread, whatever that waits for."""

from __future__ import annotations

import signal
from threading import Lock, main_thread

PAUSE = 0.05  # seconds
TRIES = 200


class Interrupter:
    """Raises an error in the main thread, once.

    Args:
        error: what is raised.
    """

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._is_raised = False
        self._heard = Lock()
        self._heard.acquire()

    def handle(self, number: int, frame: object) -> None:
        """The signal's handler; later signals do nothing."""
        if not self._is_raised:
            self._is_raised = True
            self._heard.release()
            raise self._error

    def send(self, number: int) -> bool:
        """Send the signal until it is heard; from another thread. False: it never was.

        One that comes just before a call that blocks in C does not end that call.
        """
        for _ in range(TRIES):
            signal.pthread_kill(main_thread().ident or 0, number)
            if self._heard.acquire(timeout=PAUSE):
                return True
        return False
