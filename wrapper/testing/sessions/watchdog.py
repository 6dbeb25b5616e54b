"""A run ends in time, whatever the algorithm does, as far as one process can see to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any

from .abort import LastResort
from .forced_interruption import ForcedInterruption

LADDER = 9.0
"""Seconds within which HKube's stop has an end: the process is killed after seven."""
GRACE = 0.5
"""Seconds from the end of a task until its code counts as stuck."""
FORCING = 10.0
"""Seconds that code which is stuck is interrupted again and again, before all is ended."""
_PAUSE = 0.05
_MARGIN = 5.0
_ABORT_MESSAGE = (
    "hkube.run: the algorithm's code does not end, whatever is raised in it: this process is "
    "ended, because nothing else is left to do. With isolated=True the algorithm has a process "
    "of its own, which can be killed."
)


class Watchdog:
    """Watches the main thread while user code may run there; a context manager.

    Attributes:
        timed_out: the time was up before the task's end.
        stuck: the code went on where HKube would have killed its process.
    """

    def __init__(
        self,
        ended: Future[Any],
        timeout: float | None,
        stop: Callable[[], None],
        interruption: ForcedInterruption,
        last_resort: LastResort,
    ) -> None:
        """Prepare it.

        Args:
            ended: the task's end; the main thread is to be free soon after it.
            timeout: seconds until `stop` is called; None: never.
            stop: stops the task.
            interruption: the main thread's.
            last_resort: ends the process.
        """
        self.timed_out = False
        self.stuck = False
        self._ended = ended
        self._timeout = timeout
        self._stop = stop
        self._interruption = interruption
        self._last_resort = last_resort
        self._free = Event()
        self._woken = Event()
        self._thread = Thread(target=self._watch, name="hkube-watchdog", daemon=True)

    def __enter__(self) -> Watchdog:
        self._interruption.begin()
        if self._timeout is not None:
            # Where C code holds the GIL, the thread below does not run.
            self._last_resort.arm(self._timeout + LADDER + GRACE + FORCING + _MARGIN)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    def end(self) -> None:
        """Watch no more: the main thread is free. May be called again."""
        self._interruption.end()
        self._last_resort.disarm()
        self._free.set()
        self._woken.set()
        self._thread.join()

    def _watch(self) -> None:
        self._ended.add_done_callback(lambda _: self._woken.set())
        if not self._woken.wait(self._timeout):
            self.timed_out = True
            self._stop()
            self._woken.wait(LADDER)
        if self._free.wait(GRACE):
            return
        self.stuck = True
        for _ in range(int(FORCING / _PAUSE)):
            self._interruption.force()
            if self._free.wait(_PAUSE):
                return
        self._last_resort.end(_ABORT_MESSAGE)
