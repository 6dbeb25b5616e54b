"""Shows pipeline runs as lines of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

from ...show.terminal import shown
from ...worker import events as worker_events
from .. import events
from ..run.actions import PipelineFailed, PipelineStopped, RunOutcome, Succeeded
from .board import Board, Row, label_of

MARK = "[local]"
_MOST_LINES = 60
_WIDEST = 1000


@final
class PipelineLines:
    """A listener that writes the events a user cares about."""

    def __init__(
        self,
        write: Callable[[str], None],
        started: float,
        brief: bool = False,
        quiet: bool = False,
    ) -> None:
        """Create it.

        Args:
            write: writes a line, given without its end.
            started: when the command began, in seconds on the engine's clock.
            brief: leave out what a table shows as well.
            quiet: show only what algorithms write, warnings and errors.
        """
        self._write = write
        self._started = started
        self._brief = brief or quiet
        self._quiet = quiet
        self._failure: events.TaskFailed | None = None
        self.board = Board()

    def __call__(self, event: events.PipelineEvent) -> None:
        """Show an event."""
        self.board.update(event)
        self._write_failure(event)
        if isinstance(event, events.OutputLine):
            self._write(f"[{_task(event)}] {event.line}")
            return
        text = self._important(event)
        if text is None and not self._brief:
            text = self._usual(event)
        if text is not None:
            self.say(text)

    def say(self, text: str) -> None:
        """Write a message of the command."""
        self._write(f"{MARK} {text}")

    def _write_failure(self, event: events.PipelineEvent) -> None:
        """Write a task's failure, unless the event after it says the same and more."""
        failed = self._failure
        if failed is None or isinstance(event, events.TaskStopped):
            return
        self._failure = None
        match event:
            case events.RunEnded(run=(), outcome=PipelineFailed()):
                text = f"{_task(failed)} failed" if failed.details else ""
            case _:
                text = f"{_task(failed)} failed: {failed.text}"
        if text:
            self.say(text)
        for line in _excerpt(failed.details):
            self._write(f"    {line}")
        if failed.hint:
            self.say(f"hint: {failed.hint}")

    def _important(self, event: events.PipelineEvent) -> str | None:
        """Return the text for an event that matters even with a table."""
        match event:
            case events.TaskFailed():
                self._failure = event
            case events.TaskQueued() if event.attempts:
                return f"{_task(event)} is retried, attempt {event.attempts + 1}"
            case events.TaskReported(event=worker_events.Violation() as violation):
                return f"warning: {_task(event)} sent {violation.text}"
            case events.NodeSkipped():
                return f"{label_of(event.run, event.node)} skipped: {event.why}"
            case events.PathMissing():
                return (
                    f"note: {label_of(event.run, event.node)}: '{event.reference}' leads nowhere "
                    f"in the result and gives null{event.suggestion}"
                )
            case events.RunEnded(run=(), outcome=Succeeded()) if self._quiet:
                return None
            case events.RunEnded(run=()):
                after = f" after {event.at - self._started:.2f} s"
                return _outcome(event.outcome, after)
            case events.RunEnded(outcome=PipelineFailed(key=None) | PipelineStopped()):
                return f"{label_of(event.run)} {_outcome(event.outcome)}"
        return None

    def _usual(self, event: events.PipelineEvent) -> str | None:
        """Return the text for an event that a table shows in its rows."""
        match event:
            case events.RunStarted(run=()):
                return f"pipeline {event.name}"
            case events.TaskStarted():
                row = self.board.row(event.run, event.task.node)
                if row.running + row.done + row.failed == 1 and row.began == event.at:
                    many = f", {row.total:,} tasks" if row.total > 1 else ""
                    return f"{row.label} started{many}"
            case events.TaskReported(event=worker_events.Progress() as reported) if (
                not event.task.at
            ):
                return f"{_task(event)} progress {shown(reported.value)}"
            case events.NodeEnded(run=()):
                return _node_end(self.board.row(event.run, event.node))
        return None


def failure_of(failed: PipelineFailed) -> str:
    """Return why a pipeline failed, and which of its tasks made it fail."""
    return f"{failed.key}: {failed.text}" if failed.key is not None else failed.text


def _outcome(outcome: RunOutcome, after: str = "") -> str:
    if isinstance(outcome, PipelineFailed):
        return f"failed{after}: {failure_of(outcome)}"
    if isinstance(outcome, PipelineStopped):
        return f"stopped{after}: {outcome.reason}"
    return f"done{after}"


def _task(event: events.TaskEvent | events.OutputLine) -> str:
    label = label_of(event.run, event.task.node)
    return label + str(event.task).removeprefix(event.task.node)


def _excerpt(details: str) -> list[str]:
    """Return the lines of an error's details; if there are too many, the first and the last."""
    lines = details.strip("\n").splitlines()
    if len(lines) > _MOST_LINES:
        half = _MOST_LINES // 2
        lines[half:-half] = [f"… {len(lines) - 2 * half:,} lines …"]
    return [line if len(line) <= _WIDEST else f"{line[:_WIDEST]}…" for line in lines]


def _node_end(row: Row) -> str:
    seconds = f"{row.seconds(row.changed) or 0.0:.2f} s"
    if row.total == 1:
        return f"{row.label} done in {seconds}" if row.done else f"{row.label} ended"
    failed = f", {row.failed:,} failed" if row.failed else ""
    return f"{row.label} done in {seconds}: {row.total:,} tasks{failed}"
