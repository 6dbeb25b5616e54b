"""Builds the tree of a task's spans from the worker's events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..worker import events


@dataclass
class ShownSpan:
    """One timed section.

    Attributes:
        name: the span's name.
        tags: the tags given at its start and at its end.
        began: start time, in seconds on the worker's clock.
        ended: end time on the same clock; None while it is open.
        error: the error as it was sent; None if it did not fail.
        children: the spans inside it, in the order they began.
    """

    name: str
    tags: dict[str, Any]
    began: float
    ended: float | None = None
    error: Any = None
    children: list[ShownSpan] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """Its duration in seconds; None while it is open."""
        return None if self.ended is None else self.ended - self.began


class SpanTree:
    """A listener that keeps the spans of one task.

    Attributes:
        roots: the outermost spans.
    """

    def __init__(self) -> None:
        self.roots: list[ShownSpan] = []
        self._open: list[ShownSpan] = []

    def __call__(self, event: events.WorkerEvent) -> None:
        """Record an event."""
        if isinstance(event, events.SpanStarted):
            span = ShownSpan(event.name, dict(event.tags), event.at)
            (self._open[-1].children if self._open else self.roots).append(span)
            self._open.append(span)
        elif isinstance(event, events.SpanFinished) and self._open:
            span = self._open.pop()
            span.tags.update(event.tags)
            span.ended, span.error = event.at, event.error

    @property
    def path(self) -> str:
        """The names of the open spans, outermost first."""
        return " › ".join(span.name for span in self._open)


def tree_lines(spans: Sequence[ShownSpan], indent: str = "") -> Iterator[tuple[str, ShownSpan]]:
    """Yield each span with the lines that lead to it in a drawing, such as `│  └─ `."""
    for position, span in enumerate(spans):
        is_last = position == len(spans) - 1
        yield f"{indent}{'└─' if is_last else '├─'} ", span
        yield from tree_lines(span.children, f"{indent}{'   ' if is_last else '│  '}")
