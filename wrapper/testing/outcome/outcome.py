"""What came of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...local.worker.answers import Call
from .spans import Span


class AlgorithmFailed(AssertionError):
    """The algorithm has no result; the text says why."""


@dataclass(frozen=True)
class Error:
    """What HKube is told of a failure.

    Attributes:
        code: kind of failure: AlgorithmError for an exception of the algorithm's code.
        message: `Type: text (file:line, in function)`; all that HKube shows of it.
        details: the algorithm's frames, with its source.
        exception: what was raised, with its traceback; None where it was raised in another process
            (isolated=True), or where nothing was raised (a result that cannot be sent).
    """

    code: str
    message: str
    details: str
    exception: BaseException | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        error: why it failed; None: it did not.
        stopped: it was stopped (see `HKube.stop`).
        messages: what the algorithm's side sent to HKube, in order, but for `alive`, which comes
            each second; an object each, with `command` and `data` or `error`.
        progress: the values that were given to `hkubeApi.progress`.
        spans: the outermost spans; those within them are their `children`.
        calls: what the algorithm asked of HKube.
        logs: the lines that the algorithm printed and logged.
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
        """The result, as HKube gets it: a tuple is a list, NaN is None.

        Raises:
            AlgorithmFailed: there is none, because the run failed or was stopped.
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


def no_result_within(timeout: float | None) -> str:
    """Return the sentence about a run whose time is up; `timeout` in seconds."""
    return f"the algorithm had no result within {timeout:g} s (timeout={timeout:g})"
