"""Calls the user's functions, and knows whether one of them runs now."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import AlgorithmStopped, LoadError
from ..errors.failure import FailureReport, bare_report
from .coroutines import Coroutines
from .interruption import Interruption

if TYPE_CHECKING:
    from ..loading.loader import UserAlgorithm


class UserCodeOutcome(NamedTuple):
    """The outcome of a call of user code.

    Attributes:
        result: what the code returned.
        report: describes what it raised; None if it returned.
        exit: what `sys.exit` raised; None if the code did not call it.
    """

    result: Any
    report: FailureReport | None
    exit: SystemExit | None = None


class UserCode:
    """The user's module.

    Args:
        interruption: interrupts user code on the main thread; must be installed.

    Attributes:
        algorithm: the user's functions; None until they are loaded.
        load_error: why loading them failed.
        running: whether user code runs on the main thread.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.algorithm: UserAlgorithm | None = None
        self.load_error: FailureReport | None = None
        self.running = False
        self._interruption = interruption
        self._coroutines = Coroutines(interruption)
        self._hub_watcher: object = None
        self._generation = 0
        self._pid = os.getpid()
        self._report_exception: Callable[..., FailureReport] | None = None

    def load(self, load: Callable[[], UserAlgorithm]) -> FailureReport | None:
        """Load the user's module.

        Args:
            load: loads the module; may raise LoadError.

        Returns:
            Why loading failed; None if it succeeded, or a stop interrupted it.
        """
        try:
            with self._interruption.user_code:
                self.running = True  # an EXIT must not wait until a slow import ends
                algorithm = load()
        except LoadError as error:
            self.load_error = FailureReport(error.code, str(error), error.details)
            return self.load_error
        except AlgorithmStopped:
            self.load_error = FailureReport("LoadError", "the import was stopped", "")
        else:
            self.algorithm = algorithm
            self._hub_watcher = _kept_awake()
        finally:
            self.running = False
        return None

    def advance(self, generation: int) -> bool:
        """Record a frame's generation; False if it is not newer than all before."""
        if generation <= self._generation:
            return False
        self._generation = generation
        return True

    def is_current(self, generation: int) -> bool:
        """Whether no newer generation is known; an older one belongs to a task that is over."""
        return generation >= self._generation

    def interrupt(self) -> None:
        """Interrupt the user code on the main thread, if any runs; from another thread."""
        if self.running:
            self._interruption.request()

    def call(
        self,
        function: Callable[[], Any],
        generation: int,
        interruptible: bool = True,
        keep_tasks: bool = False,
    ) -> UserCodeOutcome:
        """Run user code on the main thread and catch whatever it raises.

        Args:
            function: the code.
            generation: the task or stop that it runs for. If that is over, it does not run.
            interruptible: whether a stop may interrupt it.
            keep_tasks: see `Coroutines.finish`.
        """
        try:
            with self._interruption.user_code if interruptible else nullcontext():
                self.running = True
                try:
                    # A stop before this line found nothing to interrupt; a later one will.
                    if not self.is_current(generation):
                        raise AlgorithmStopped("HKube stopped the task")
                    result = self._coroutines.finish(function(), keep_tasks)
                finally:
                    self.running = False
            outcome = UserCodeOutcome(result, None)
        except BaseException as error:  # the boundary to user code: even SystemExit
            self.running = False
            ending = error if isinstance(error, SystemExit) else None
            outcome = UserCodeOutcome(None, self.report(error), ending)
        self._end_if_forked()
        return outcome

    def finish(self, value: Any) -> Any:
        """Return `value`, or its result if it must be awaited; within `call`."""
        return self._coroutines.finish(value, keep_tasks=True)

    def call_beside(self, function: Callable[[], Any]) -> UserCodeOutcome:
        """Run user code on another thread, while other user code may run on the main thread."""
        try:
            return UserCodeOutcome(self._coroutines.finish_elsewhere(function()), None)
        except BaseException as error:  # the boundary to user code: even SystemExit
            return UserCodeOutcome(None, self.report(error))

    def report(self, error: BaseException) -> FailureReport:
        """Describe an exception that user code raised."""
        try:
            self.prepare_reports()
        except Exception:  # no file descriptor is left, or user code has broken imports
            return bare_report(error)
        assert self._report_exception is not None
        return self._report_exception(error, folder=self._folder())

    def prepare_reports(self) -> None:
        """Load what reports of failures need, while that still works: user code comes next."""
        if self._report_exception is None:
            from ..errors.report import report_exception

            self._report_exception = report_exception

    def running_place(self) -> str | None:
        """Return the line of the user's code that runs on the main thread; from any thread."""
        try:
            from ..errors.user_frames import Files

            frame = sys._current_frames().get(self._interruption.thread_id or 0)
            return Files(self._folder()).running_place(frame)
        except Exception:  # as above; the stop itself matters more
            return None

    def _folder(self) -> str | None:
        algorithm = self.algorithm
        return str(algorithm.base or algorithm.folder) if algorithm is not None else None

    def close(self) -> None:
        """Close the event loop of the user's functions; none may be called afterwards."""
        self._coroutines.close()

    def _end_if_forked(self) -> None:
        """End the process if it is a child that user code forked and let return from `start`."""
        if os.getpid() != self._pid:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)


def _kept_awake() -> object:
    """If gevent has patched the process, have it wait for answers that another thread brings.

    gevent raises LoopExit if all greenlets wait and nothing in its event loop can end that. It does
    not know about the thread that receives HKube's answers.

    Returns:
        An object that has to be held for as long as user code may wait.
    """
    if "gevent.monkey" not in sys.modules:
        return None
    watcher = sys.modules["gevent"].get_hub().loop.async_()
    watcher.start(lambda: None)
    return watcher
