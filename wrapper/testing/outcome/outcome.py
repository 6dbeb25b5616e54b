"""The outcome of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...local.worker.answers import Call
from .spans import Span


class AlgorithmFailed(AssertionError):
    """The algorithm has no result; the message says why."""


@dataclass(frozen=True)
class Error:
    """A failure, as the wrapper reports it to HKube.

    Attributes:
        code: Kind of failure, such as ``AlgorithmError`` for an exception in the algorithm's code.
        message: The text that HKube shows: ``Type: text (file:line, in function)``.
        details: The algorithm's stack frames, with their source lines.
        exception: The exception that was raised, with its traceback. ``None`` if it was raised in
            another process (``isolated=True``) or if there was no exception, as when a result
            cannot be sent.
    """

    code: str
    message: str
    details: str
    exception: BaseException | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Attributes:
        error: Why the run failed; ``None`` if it did not.
        stopped: Whether the run was stopped (see ``HKube.stop``).
        messages: The messages that the wrapper sent to HKube, in order. Each has a ``command`` and
            ``data`` or ``error``. Heartbeats (``alive``), statistics and log lines are left out.
        progress: The values passed to ``hkubeApi.progress``.
        spans: The outermost spans; nested spans are in their ``children``.
        calls: The algorithm's calls to HKube.
        logs: The lines that the algorithm printed or logged.
    """

    error: Error | None
    stopped: bool
    messages: list[Mapping[str, Any]] = field(repr=False)
    progress: list[Any]
    spans: tuple[Span, ...]
    calls: tuple[Call, ...] = field(repr=False)
    logs: list[str]
    _result: Any = None

    @property
    def result(self) -> Any:
        """The result as HKube receives it: a tuple becomes a list, NaN becomes ``None``.

        Raises:
            AlgorithmFailed: The run failed or was stopped.
        """
        __tracebackhide__ = True
        if self.stopped:
            raise AlgorithmFailed("there is no result: the algorithm was stopped")
        error = self.error
        if error is None:
            return self._result
        if error.exception is not None:
            raise AlgorithmFailed(f"the algorithm failed: {error}") from error.exception
        details = f"\n{error.details}" if error.details else ""
        raise AlgorithmFailed(f"the algorithm failed: {error}{details}")


def no_result_within(timeout: float | None, place: str | None) -> str:
    """Describe a run that exceeded its timeout.

    Args:
        timeout: In seconds.
        place: Where the algorithm's code was then, if that is known.
    """
    where = f"; it was at {place}" if place else ""
    return f"the algorithm had no result within {timeout:g} s (timeout={timeout:g}){where}"
