"""Shows the local worker's events to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import RLock
from typing import Any, final

from ...protocol.messages import commands
from ...text.printed_json import printable
from ..worker import events
from ..worker.answers import Call, Cancelled, Failure, Reply
from .advice import advice
from .screen import Screen
from .span_tree import ShownSpan, SpanTree, tree_lines

_LOUD = ("yellow", "red")
"""The styles of warnings and errors."""
_LONGEST_ERROR = 4_000
"""Longest error details shown, in characters; an omission is indicated."""


@final
class Terminal:
    """A listener that shows a line for each notable event, and updates the bar.

    Thread-safe: the algorithm's output and its messages come from different threads.
    """

    def __init__(self, screen: Screen, started: float, quiet: bool = False) -> None:
        """Prepare a terminal.

        Args:
            screen: where the lines go.
            started: when the command began, in seconds on the worker's clock.
            quiet: show only warnings, errors and the algorithm's own lines.
        """
        self._quiet = quiet
        self._screen = screen
        self._started = started
        self._job: Mapping[str, Any] = {}
        self._spans = SpanTree()
        self._percent: float | None = None
        self._details = ""
        self._is_running = False
        self._lock = RLock()  # the bar must not reappear after the task's end

    def begin(self, job: Mapping[str, Any]) -> None:
        """Prepare to show the next task."""
        with self._lock:
            self._job = job
            self._spans = SpanTree()
            self._percent, self._details = None, ""
            self._is_running = True

    def note(self, text: str) -> None:
        """Show the algorithm's unfinished output line beside the bar."""
        with self._lock:
            self._details = text.strip()
            if self._is_running:
                self._move_bar()

    def say(self, text: str, style: str = "dim") -> None:
        """Show a message of the local worker, unless it is quiet and this is no warning."""
        if self._quiet and style not in _LOUD:
            return
        self._screen.line("\n".join(f"[local] {line}" for line in text.split("\n")), style)

    def __call__(self, event: events.WorkerEvent) -> None:
        """Show an event."""
        with self._lock:
            self._show(event)

    def _show(self, event: events.WorkerEvent) -> None:
        if isinstance(event, events.SpanFinished) and not self._spans.path:
            self.say("warning: the algorithm sent 'finishSpan' with no span open", "yellow")
        self._spans(event)
        match event:
            case events.Progress():
                self._progress(event)
            case events.TaskCompleted():
                self._is_running = False
                self._screen.no_bar()
                self._ended(event)
            case events.Violation():
                self.say(f"warning: the algorithm sent {event.text}", "yellow")
            case events.StreamMessageSent():
                along = f" along flow '{event.flow}'" if event.flow is not None else ""
                self.say(
                    f"sent{along}: {json.dumps(event.value, default=printable)[:_LONGEST_ERROR]}"
                )
            case events.LogLines():
                self._screen.line("\n".join(event.lines))
            case _:
                text = self._text(event)
                if text is not None:
                    self.say(text)
        if self._is_running:
            self._move_bar()

    def _text(self, event: events.WorkerEvent) -> str | None:
        match event:
            case events.Connected():
                return f"connected after {_seconds(event.at - self._started)}"
            case events.Received() if event.command in _PHASES:
                return f"{event.command} after {_seconds(event.at - self._started)}"
            case events.CallStarted():
                return f"call {_call(event.call)}"
            case events.CallAnswered():
                return f"answer for {_call(event.call)}{_reply(event.reply)}"
        return None

    def _progress(self, event: events.Progress) -> None:
        self._percent = _percent(event.value)
        self._details = "" if event.details is None else _as_text(event.details)
        if not self._screen.has_bar or self._percent is None:
            details = f": {self._details}" if self._details else ""
            self.say(f"progress {shown(event.value)}{details}")

    def _move_bar(self) -> None:
        parts = (str(self._job.get("algorithmName") or ""), self._spans.path, self._details)
        self._screen.bar(" · ".join(part for part in parts if part), self._percent)

    def _ended(self, event: events.TaskCompleted) -> None:
        if self._spans.roots:
            self.say("spans")
            for lead, span in tree_lines(self._spans.roots):
                self.say(lead + _span_text(span), "dim" if span.error is None else "red")
        after = f"after {_seconds(event.at - self._started)}"
        match event.outcome:
            case events.Done():
                self.say(f"done {after}", "green")
            case events.Failed():
                self.say(f"failed {after} ({event.outcome.code})", "red")
                self._failed(event.outcome)
            case events.Stopped():
                self.say(f"stopped {after}", "yellow")
            case events.Lost():
                self.say(f"interrupted {after}: {event.outcome.reason}", "red")

    def _failed(self, failure: events.Failed) -> None:
        self._screen.line(f"error: {failure.message}", "bold red")
        if failure.details:
            indented = "\n".join(f"    {line}" for line in _cut(failure.details).split("\n"))
            self._screen.line(indented)
        hint = advice(failure, self._job)
        if hint:
            self._screen.line(f"hint: {hint}", "bold")


def shown(value: Any, limit: int = 200) -> str:
    """Return a value as short JSON, cut at `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, default=printable)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def duration(seconds: float) -> str:
    """Return a duration as text."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else _seconds(seconds)


_PHASES = (commands.INITIALIZED, commands.STARTED)


def _percent(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value <= 100 else None


def _span_text(span: ShownSpan) -> str:
    took = "not finished" if span.seconds is None else duration(span.seconds)
    tags = f" {shown(span.tags)}" if span.tags else ""
    failed = "" if span.error is None else f" failed: {_as_text(span.error)}"
    return f"{span.name} {took}{tags}{failed}"


def _call(call: Call) -> str:
    return f"{call.kind.value} {call.name}"


def _reply(reply: Reply) -> str:
    match reply:
        case Failure():
            return f": error: {reply.text}"
        case Cancelled():
            return f": stopped: {reply.reason}"
        case _:
            return f": {shown(reply.value)}"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value)


def _cut(details: str) -> str:
    details = details.strip("\n")
    if len(details) <= _LONGEST_ERROR:
        return details
    half = _LONGEST_ERROR // 2
    return f"{details[:half]}\n… {len(details) - 2 * half:,} characters …\n{details[-half:]}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"
