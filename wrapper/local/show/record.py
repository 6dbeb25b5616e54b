"""Records a task as a JSON object for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

from ...text.exit_codes import process_ended
from ..worker import events
from ..worker.connection import CONNECTION_LOST
from .advice import advice
from .span_tree import ShownSpan, SpanTree


@final
class Record:
    """A listener that gathers one task's facts."""

    def __init__(self, job: Mapping[str, Any]) -> None:
        """Prepare a record of the task that `job` begins."""
        self._job = job
        self._spans = SpanTree()
        self._progress: list[Any] = []
        self._began: float | None = None
        self._ended: float | None = None

    def __call__(self, event: events.WorkerEvent) -> None:
        """Record an event."""
        if event.task_id != self._job["taskId"]:
            return
        self._spans(event)
        if self._began is None:
            self._began = event.at
        if isinstance(event, events.Progress):
            self._progress.append(event.value)
        elif isinstance(event, events.TaskCompleted):
            self._ended = event.at

    def to_json(self, outcome: events.Outcome, exit_code: int | None = None) -> dict[str, Any]:
        """Return the task as an object for JSON.

        Args:
            outcome: how the task ended.
            exit_code: exit code of its process, if the process ended with the task.
        """
        seconds = 0.0
        if self._began is not None and self._ended is not None:
            seconds = self._ended - self._began
        return {
            "algorithm": self._job["algorithmName"],
            "status": _STATUS[type(outcome)],
            "result": outcome.result if isinstance(outcome, events.Done) else None,
            "error": self._error(outcome, exit_code),
            "exitCode": exit_code,
            "seconds": round(seconds, 6),
            "progress": self._progress,
            "spans": [_span(span) for span in self._spans.roots],
        }

    def _error(self, outcome: events.Outcome, exit_code: int | None) -> dict[str, Any] | None:
        if isinstance(outcome, events.Failed):
            return {
                "code": outcome.code,
                "message": outcome.message,
                "details": outcome.details,
                "hint": advice(outcome, self._job),
            }
        if isinstance(outcome, events.Lost):
            reason = outcome.reason
            if reason == CONNECTION_LOST and exit_code is not None:
                reason = process_ended(exit_code)  # why the connection was lost
            return {"code": "Crashed", "message": reason, "details": "", "hint": None}
        return None


_STATUS = {
    events.Done: "done",
    events.Failed: "failed",
    events.Stopped: "stopped",
    events.Lost: "crashed",
}


def _span(span: ShownSpan) -> dict[str, Any]:
    return {
        "name": span.name,
        "seconds": None if span.seconds is None else round(span.seconds, 6),
        "tags": span.tags,
        "error": span.error,
        "children": [_span(child) for child in span.children],
    }
