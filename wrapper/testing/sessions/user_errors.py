"""What user code raised in the test's process: kept for the test, or meant for it."""

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
    """Calls the user's functions, and keeps what they raise.

    Attributes:
        raised: the exceptions, by the message that HKube is told of each.
        for_test: one that is not the algorithm's failure: pytest.fail and its like, raised by what
            the test has put into the algorithm; and the end of a debugger's session.
    """

    def __init__(self, interruption: Interruption) -> None:
        super().__init__(interruption)
        self.raised: dict[str, BaseException] = {}
        self.for_test: BaseException | None = None

    def forget(self) -> None:
        """A run begins."""
        self.raised = {}
        self.for_test = None

    def report(self, error: BaseException) -> FailureReport:
        """What is said of an exception of user code."""
        report = super().report(error)
        error.__traceback__ = users_traceback(error.__traceback__)
        self.raised[report.message] = error
        if is_for_test(error):
            self.for_test = error
        return report


def is_for_test(error: BaseException) -> bool:
    """Whether an exception is meant for pytest or a debugger, and is no failure of the code's."""
    if isinstance(error, bdb.BdbQuit):
        return True
    if isinstance(error, (Exception, SystemExit, GeneratorExit, AlgorithmStopped)):
        return False
    return type(error).__name__ != "CancelledError"  # asyncio's


def users_traceback(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the user's first frame on; whole, if there is none."""
    step = traceback
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not is_inside(file, WRAPPER_FOLDER) and not is_inside(file, _ASYNCIO):
            return step
        step = step.tb_next
    return traceback
