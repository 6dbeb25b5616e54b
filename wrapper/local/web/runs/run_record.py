"""One run as the page shows it: gathered from the worker's events and the output."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, final

from ....protocol.messages import commands
from ....text.exit_codes import process_ended
from ...show.advice import advice
from ...show.span_tree import ShownSpan, SpanTree
from ...worker import events
from ...worker.answers import Cancelled, Failure, Reply
from ...worker.connection import CONNECTION_LOST
from ..results.lines import one_line
from .usage import UsageSample, UsageSeries

RUNNING, STOPPING = "running", "stopping"
_ENDS = {
    events.Done: "done",
    events.Failed: "failed",
    events.Stopped: "stopped",
    events.Lost: "crashed",
}
_MOST_LINES = 200_000
_MOST_SHOWN = 500
"""Spans, and calls, that are shown; the others are counted."""
_LONGEST_LINE = 10_000

LogLine = tuple[float, str, str]
"""Seconds since the run began; `out` or the level of a line of the wrapper; the text."""


@final
class RunRecord:
    """The facts of one run. Thread-safe: events, output and pages come from different threads.

    Attributes:
        number: the run's id.
        job: the data of its `initialize`.
        outcome: how it ended; None while it runs.
    """

    def __init__(self, number: int, job: Mapping[str, Any], input_text: str, began: float) -> None:
        """Begin a record.

        Args:
            number: the run's id.
            job: the data of its `initialize`.
            input_text: its input as it was typed.
            began: the present time on the worker's clock, in seconds.
        """
        self.number = number
        self.job = job
        self.input_text = input_text
        self.outcome: events.Outcome | None = None
        self._began = began
        self._began_at = time.time()
        self._seconds: float | None = None
        self._status = RUNNING
        self._phases: list[dict[str, Any]] = []
        self._progress: dict[str, Any] | None = None
        self._spans = SpanTree()
        self._calls: dict[str, dict[str, Any]] = {}
        self._more_calls = 0
        self._lines: list[LogLine] = []
        self._dropped = 0
        self._notes: list[str] = []
        self._usage = UsageSeries()
        self._exit_code: int | None = None
        self._result_size = 0
        self._lock = threading.RLock()

    def __call__(self, event: events.WorkerEvent) -> None:
        """Record an event."""
        with self._lock:
            self._spans(event)
            at = round(event.at - self._began, 6)
            match event:
                case events.Sent() | events.Received():
                    self._phase(event.command, at)
                case events.Connected():
                    self._phase("connected", at)
                case events.Progress():
                    self._progress = {"value": event.value, "details": event.details, "at": at}
                case events.CallStarted():
                    self._call_started(event, at)
                case events.CallAnswered():
                    self._call_answered(event, at)
                case events.Violation():
                    self._notes.append(f"the algorithm sent {event.text}")

    def add_lines(self, lines: Sequence[tuple[str, str]], now: float) -> None:
        """Add lines of output, each with its source."""
        with self._lock:
            at = round(now - self._began, 3)
            self._lines += [(at, source, text[:_LONGEST_LINE]) for source, text in lines]
            self._notes += [text for source, text in lines if source == "warning"]
            excess = len(self._lines) - _MOST_LINES
            if excess > 0:
                del self._lines[:excess]
                self._dropped += excess

    def add_usage(self, cores: float, memory: int, now: float) -> None:
        """Add a sample of the processes' use of the machine."""
        with self._lock:
            self._usage.add(UsageSample(round(now - self._began, 2), round(cores, 2), memory))

    def stopping(self) -> None:
        """Note that the user asked it to stop."""
        with self._lock:
            if self.outcome is None:
                self._status = STOPPING

    def exited(self, code: int) -> None:
        """Note the exit code of the process that ended with it."""
        with self._lock:
            self._exit_code = code

    def end(self, outcome: events.Outcome, now: float, result_size: int) -> None:
        """Note how it ended.

        Args:
            outcome: how it ended.
            now: the time on the worker's clock, in seconds.
            result_size: of its result as JSON, in characters.
        """
        with self._lock:
            self._result_size = result_size
            self.outcome = outcome
            self._seconds = round(now - self._began, 6)
            self._status = _ENDS[type(outcome)]

    def lines(self, start: int, limit: int) -> tuple[int, list[LogLine]]:
        """Return how many lines there were, and some of them; a lost one is not among them.

        Args:
            start: the number of the first line.
            limit: how many lines at most.
        """
        with self._lock:
            first = max(0, start - self._dropped)
            return len(self._lines) + self._dropped, self._lines[first : first + limit]

    def facts(self, now: float | None = None) -> dict[str, Any]:
        """Return what the page shows of the run, without its lines and its result.

        Args:
            now: the time on the worker's clock, for a run that has not ended.
        """
        with self._lock:
            seconds = self._seconds
            if seconds is None:
                seconds = round((now or self._began) - self._began, 3)
            spans = [_span(span, depth, self._began) for span, depth in _walk(self._spans.roots)]
            outcome = self.outcome
            return {
                "id": self.number,
                "status": self._status,
                "algorithm": self.job["algorithmName"],
                "input": self.input_text[:_LONGEST_LINE],
                "inputSize": len(self.input_text),
                "began": self._began_at,
                "seconds": seconds,
                "phases": list(self._phases),
                "progress": self._progress,
                "spans": spans[:_MOST_SHOWN],
                "moreSpans": max(0, len(spans) - _MOST_SHOWN),
                "calls": [dict(call) for call in self._calls.values()],
                "moreCalls": self._more_calls,
                "lines": len(self._lines) + self._dropped,
                "dropped": self._dropped,
                "notes": list(dict.fromkeys(self._notes))[:20],
                "usage": self._usage.samples,
                "peakMemory": self._usage.peak,
                "error": self._error(),
                "resultSize": self._result_size,
                "result": one_line(outcome.result) if isinstance(outcome, events.Done) else None,
            }

    def _phase(self, command: str, at: float) -> None:
        if command != commands.ALIVE:
            self._phases.append({"name": command, "at": at})

    def _call_started(self, event: events.CallStarted, at: float) -> None:
        if len(self._calls) >= _MOST_SHOWN:
            self._more_calls += 1
            return
        self._calls[event.call.call_id] = {
            "kind": event.call.kind.value,
            "name": event.call.name,
            "input": one_line(event.call.input),
            "began": at,
            "ended": None,
            "reply": None,
            "failed": False,
        }

    def _call_answered(self, event: events.CallAnswered, at: float) -> None:
        call = self._calls.get(event.call.call_id)
        if call is not None:
            call |= {"ended": at, "reply": _reply(event.reply)}
            call["failed"] = not hasattr(event.reply, "value")

    def _error(self) -> dict[str, Any] | None:
        outcome = self.outcome
        if isinstance(outcome, events.Failed):
            return {
                "code": outcome.code,
                "message": outcome.message,
                "details": outcome.details,
                "hint": advice(outcome, self.job),
            }
        if isinstance(outcome, events.Lost):
            reason = outcome.reason
            if reason == CONNECTION_LOST and self._exit_code is not None:
                reason = process_ended(self._exit_code)
            return {"code": "Crashed", "message": reason, "details": "", "hint": None}
        return None


def _reply(reply: Reply) -> str:
    match reply:
        case Failure():
            return reply.text
        case Cancelled():
            return f"stopped: {reply.reason}"
        case _:
            return one_line(reply.value)


def _walk(spans: Sequence[ShownSpan], depth: int = 0) -> list[tuple[ShownSpan, int]]:
    found = []
    for span in spans:
        found.append((span, depth))
        found += _walk(span.children, depth + 1)
    return found


def _span(span: ShownSpan, depth: int, began: float) -> dict[str, Any]:
    return {
        "name": span.name,
        "depth": depth,
        "began": round(span.began - began, 6),
        "ended": None if span.ended is None else round(span.ended - began, 6),
        "tags": {str(key): one_line(value) for key, value in span.tags.items()},
        "error": None if span.error is None else str(span.error)[:_LONGEST_LINE],
    }
