"""Ends a run in time whatever the algorithm does, as far as that is possible in one process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread
from typing import Any

from .abort import LastResort
from .forced_interruption import ForcedInterruption

LADDER = 9.0
"""Seconds that a stop may take: HKube would kill the process after seven."""
GRACE = 0.5
"""Seconds after the end of a task until its code counts as stuck."""
FORCING = 10.0
"""Seconds for which stuck code is interrupted repeatedly before the process is ended."""
_PAUSE = 0.05
_MARGIN = 5.0
_ABORT_MESSAGE = (
    "hkube.run: the algorithm ignores every exception that should stop it, so this process ends "
    "now. With isolated=True, the algorithm runs in a separate process, which can be killed."
)


class Watchdog:
    """Watches the main thread while user code runs there; a context manager.

    Attributes:
        timed_out: Whether the time ran out before the task ended.
        stuck: Whether the code was still running when HKube would have killed its process.
    """

    def __init__(
        self,
        ended: Future[Any],
        timeout: float | None,
        stop: Callable[[], None],
        interruption: ForcedInterruption,
        last_resort: LastResort,
    ) -> None:
        """Create the watchdog; it starts to watch on entry.

        Args:
            ended: Done when the task has ended; the main thread must become free soon after.
            timeout: Seconds after which `stop` is called; None for never.
            stop: Stops the task.
            interruption: Interrupts the main thread.
            last_resort: Ends the process.
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
            # The watching thread cannot run while C code holds the GIL.
            self._last_resort.arm(self._timeout + LADDER + GRACE + FORCING + _MARGIN)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop watching: the main thread is free. Can be called again."""
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
