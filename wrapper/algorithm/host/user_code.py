"""Calling the user's functions, and knowing whether one runs now."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import AlgorithmStopped
from ..errors.failure import FailureReport
from .coroutines import Coroutines
from .interruption import Interruption

if TYPE_CHECKING:
    from ..loading.loader import UserAlgorithm


class UserCodeOutcome(NamedTuple):
    """What came of user code: a result, or the report of what it raised."""

    result: Any
    report: FailureReport | None


class UserCode:
    """The user's module.

    Args:
        interruption: ends user code on the main thread.

    Attributes:
        algorithm: its functions; None: it is not loaded yet, or failed to.
        load_error: why it failed to load.
        lock: held where the two threads must agree on who deals with a stop.
        running: user code runs on the main thread.
        stop_thread: runs the user's `stop` beside it.
        stopping: the user's `stop` runs on the main thread.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.algorithm: UserAlgorithm | None = None
        self.load_error: FailureReport | None = None
        self.lock = Lock()
        self.running = False
        self.stop_thread: Thread | None = None
        self.stopping = False
        self._interruption = interruption
        self._coroutines = Coroutines(interruption)
        self._generation = 0
        self._pid = os.getpid()

    def advance(self, generation: int) -> bool:
        """Take note of a frame's generation; False if it is known already."""
        if generation <= self._generation:
            return False
        self._generation = generation
        return True

    def is_current(self, generation: int) -> bool:
        """Whether nothing newer is known; what is older belongs to a task that is over."""
        return generation >= self._generation

    def call(
        self,
        function: Callable[[], Any],
        generation: int,
        interruptible: bool = True,
        keep_tasks: bool = False,
    ) -> UserCodeOutcome:
        """Run user code on the main thread; nothing that it raises escapes.

        Args:
            function: the call.
            generation: what the code belongs to; if that is over, the code is not run.
            interruptible: a stop may end it.
            keep_tasks: see `Coroutines.finish`.
        """
        try:
            with self._interruption.user_code if interruptible else nullcontext():
                self.running = True
                try:
                    # A stop before this line found nothing to interrupt; one after it will.
                    if not self.is_current(generation):
                        raise AlgorithmStopped("HKube stopped the task")
                    result = self._coroutines.finish(function(), keep_tasks)
                finally:
                    self.running = False
            outcome = UserCodeOutcome(result, None)
        except BaseException as error:  # the border to user code: SystemExit and all
            self.running = False
            outcome = UserCodeOutcome(None, self.report(error))
        self._end_if_forked()
        return outcome

    def call_beside(self, function: Callable[[], Any]) -> UserCodeOutcome:
        """The same from another thread, while the main thread may run other user code."""
        try:
            return UserCodeOutcome(self._coroutines.finish_elsewhere(function()), None)
        except BaseException as error:  # the border to user code: SystemExit and all
            return UserCodeOutcome(None, self.report(error))

    def report(self, error: BaseException) -> FailureReport:
        """What is said of an exception of user code."""
        # Imported when something has failed: it would be a tenth of the start.
        from ..errors.report import report_exception

        algorithm = self.algorithm
        folder = str(algorithm.base or algorithm.folder) if algorithm is not None else None
        return report_exception(error, folder=folder)

    def close(self) -> None:
        """Give back what the user's functions ran in; none is called any more."""
        self._coroutines.close()

    def _end_if_forked(self) -> None:
        """A child that user code forked, and that returned from `start`, is not the algorithm."""
        if os.getpid() != self._pid:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
