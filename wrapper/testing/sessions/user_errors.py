"""The exceptions that user code raised in the test's process."""

from __future__ import annotations

import bdb
import os
from types import TracebackType

from ...algorithm.errors.failure import FailureReport
from ...algorithm.errors.user_frames import STANDARD_LIBRARY, WRAPPER_FOLDER, is_inside
from ...algorithm.host.interruption import Interruption
from ...algorithm.host.user_code import UserCode
from ...errors import AlgorithmStopped

_ASYNCIO = os.path.join(STANDARD_LIBRARY, "asyncio")


class WatchedUserCode(UserCode):
    """Calls the user's functions and keeps the exceptions they raise.

    Attributes:
        raised: The exceptions, by the message that HKube receives for each.
        for_test: An exception that is not the algorithm's failure but must reach pytest: from
            `pytest.fail` and the like, called by the test's own code within the algorithm, or
            from quitting a debugger.
        stopped_at: Where the user's code was when it was asked to stop, if it was.
    """

    def __init__(self, interruption: Interruption) -> None:
        super().__init__(interruption)
        self.raised: dict[str, BaseException] = {}
        self.for_test: BaseException | None = None
        self.stopped_at: str | None = None

    def forget(self) -> None:
        """Forget the exceptions of the previous run."""
        self.raised = {}
        self.for_test = None
        self.stopped_at = None

    def running_place(self) -> str | None:
        """Return the line of the user's code that runs, and remember it: a stop asks for it."""
        self.stopped_at = super().running_place()
        return self.stopped_at

    def report(self, error: BaseException) -> FailureReport:
        """Report an exception of user code, and keep it for the test."""
        report = super().report(error)
        error.__traceback__ = users_traceback(error.__traceback__)
        self.raised[report.message] = error
        if is_for_test(error):
            self.for_test = error
        return report


def is_for_test(error: BaseException) -> bool:
    """Return whether an exception is meant for pytest or a debugger, not for the algorithm."""
    if isinstance(error, bdb.BdbQuit):
        return True
    if isinstance(error, (Exception, SystemExit, GeneratorExit, AlgorithmStopped)):
        return False
    return type(error).__name__ != "CancelledError"  # asyncio's


def users_traceback(traceback: TracebackType | None) -> TracebackType | None:
    """Return the traceback from the user's first frame on, without frames of ours at its end.

    If no frame is the user's, return all of it.
    """
    step = first = last = traceback
    is_users = False
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not is_inside(file, WRAPPER_FOLDER):
            if not is_users and not is_inside(file, _ASYNCIO):
                first, is_users = step, True
            last = step
        step = step.tb_next
    if is_users and last is not None:
        last.tb_next = None
    return first
