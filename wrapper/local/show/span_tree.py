"""The spans of a task as a tree, gathered from the worker's events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..worker import events


@dataclass
class ShownSpan:
    """One timed section.

    Attributes:
        name: what it is called.
        tags: what is known about it, from its beginning and its end.
        began: seconds on the worker's clock.
        ended: the same; None: it is open.
        error: why it failed, as it was sent; None: it did not.
        children: the sections within it, in the order they began.
    """

    name: str
    tags: dict[str, Any]
    began: float
    ended: float | None = None
    error: Any = None
    children: list[ShownSpan] = field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """How long it took; None: it is open."""
        return None if self.ended is None else self.ended - self.began


class SpanTree:
    """A listener that keeps the spans of one task.

    Attributes:
        roots: the spans that are in no other one.
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
        """The open spans, the outermost first."""
        return " › ".join(span.name for span in self._open)


def tree_lines(spans: Sequence[ShownSpan], indent: str = "") -> Iterator[tuple[str, ShownSpan]]:
    """Draw spans: for each, what leads to it (`│  └─ `), and the span."""
    for position, span in enumerate(spans):
        is_last = position == len(spans) - 1
        yield f"{indent}{'└─' if is_last else '├─'} ", span
        yield from tree_lines(span.children, f"{indent}{'   ' if is_last else '│  '}")
