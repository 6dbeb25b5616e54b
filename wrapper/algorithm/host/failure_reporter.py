"""Reports failures of the user's code, to the worker and in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import EncodingError
from ...ipc.frames import FrameKind
from ...protocol.messages import shapes
from ..errors.failure import FailureReport
from .outgoing import encode
from .pipes import Pipes
from .settings import HostSettings

if TYPE_CHECKING:
    from ...log import Log


class FailureReporter:
    """Sends failures to the worker and logs them.

    Args:
        pipes: lead to the supervisor, which passes errors on to the worker.
        settings: the encoding, the size limit and whether to log.
        log: the wrapper's log.
    """

    def __init__(self, pipes: Pipes, settings: HostSettings, log: Log) -> None:
        self._pipes = pipes
        self._settings = settings
        self._log = log

    def send_error(self, generation: int, report: FailureReport) -> None:
        """Send an error as the final message of a task."""
        message = shapes.error_message(report.code, report.message, report.details)
        try:
            payload = encode(self._settings, message, "error")
        except EncodingError as error:
            message = shapes.error_message(error.code, str(error), "")
            payload = encode(self._settings, message, "error")
        self._pipes.send(FrameKind.FINAL_MESSAGE, generation, payload)

    def log_stop(self, place: str | None) -> None:
        """Log where the user's code was when it was asked to stop, if that is known."""
        if place is not None:
            self._log.warning(f"asked to stop at {place}")

    def log_task_failure(self, summary: str, report: FailureReport) -> None:
        """Log an error that the worker receives too, unless the settings say not to."""
        if self._settings.log_failures:
            self.log_failure(summary, report)

    def log_failure(self, summary: str, report: FailureReport) -> None:
        """Log an error that appears nowhere else."""
        details = f"\n{report.details}" if report.details else ""
        self._log.error(f"{summary}: {report.message}{details}")
