"""Shows the local worker's events as lines of text."""

from __future__ import annotations

import json
from typing import Any, TextIO

from . import events
from .answers import Call, Cancelled, Failure, Reply


class Terminal:
    """A listener that writes one line an event worth reading."""

    def __init__(self, stream: TextIO, started: float) -> None:
        """Prepare a terminal.

        Args:
            stream: where the lines go.
            started: when the command began, in seconds on the worker's clock.
        """
        self._stream = stream
        self._started = started
        self._spans: list[tuple[str, float]] = []

    def __call__(self, event: events.Event) -> None:
        """Show an event."""
        text = self._text(event)
        if text is not None:
            indent = "  " * len(self._spans)
            self._stream.write(f"[local] {indent}{text}\n")
            self._stream.flush()
        if isinstance(event, events.SpanStarted):
            self._spans.append((event.name, event.at))

    def _text(self, event: events.Event) -> str | None:
        match event:
            case events.Connected():
                return f"connected after {_seconds(event.at - self._started)}"
            case events.Progress():
                return _with_details(f"progress {shown(event.value)}", event.details)
            case events.SpanStarted():
                return f"span {event.name}{_tags(event.tags)}"
            case events.SpanFinished():
                return self._span_end(event)
            case events.CallStarted():
                return f"call {_call(event.call)}"
            case events.CallAnswered():
                return f"answer for {_call(event.call)}{_reply(event.reply)}"
            case events.LogLines():
                return "\n".join(event.lines)
            case events.Violation():
                return f"warning: the algorithm sent {event.text}"
            case events.Ended():
                self._spans.clear()
                return _outcome(event.outcome, event.at - self._started)
        return None

    def _span_end(self, event: events.SpanFinished) -> str:
        if not self._spans:
            return "warning: the algorithm sent 'finishSpan' with no span open"
        name, began = self._spans.pop()
        text = f"span {name} took {_seconds(event.at - began)}{_tags(event.tags)}"
        return text if event.error is None else f"{text}, failed: {event.error}"


def shown(value: Any, limit: int = 200) -> str:
    """Return a value as short JSON, cut at `limit` characters."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _outcome(outcome: events.Outcome, seconds: float) -> str:
    after = f"after {_seconds(seconds)}"
    match outcome:
        case events.Done():
            return f"done {after}"
        case events.Failed():
            return f"failed {after} ({outcome.code})"  # why is in the log, on this stream too
        case events.Stopped():
            return f"stopped {after}"
        case events.Lost():
            return f"lost {after}: {outcome.reason}"


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


def _with_details(text: str, details: Any) -> str:
    if details is None:
        return text
    return f"{text}: {details if isinstance(details, str) else shown(details)}"


def _tags(tags: Any) -> str:
    return f" {shown(tags)}" if tags else ""


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"
