"""The spans of a run as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..local import events


@dataclass(frozen=True)
class Span:
    """One span.

    Attributes:
        name: as the algorithm gave it.
        tags: those of its start and of its end.
        error: what it ended with; None: nothing failed.
        children: the spans within it.
        duration: seconds; None: it was not finished.
    """

    name: str
    tags: Mapping[str, Any]
    error: Any = None
    children: tuple[Span, ...] = ()
    duration: float | None = None


def span_tree(told: Iterable[events.Event]) -> tuple[Span, ...]:
    """Make the tree of a run's events; what else is among them is passed over."""
    stack: list[_Open] = [_Open(Span("", {}), 0.0)]
    for event in told:
        if isinstance(event, events.SpanStarted):
            stack.append(_Open(Span(event.name, dict(event.tags)), event.at))
        elif isinstance(event, events.SpanFinished) and len(stack) > 1:
            span = stack.pop().closed(event)
            stack[-1].add(span)
    while len(stack) > 1:
        span = stack.pop().span
        stack[-1].add(span)
    return stack[0].span.children


class _Open:
    """A span that is not finished yet."""

    def __init__(self, span: Span, began: float) -> None:
        self.span = span
        self._began = began

    def add(self, child: Span) -> None:
        self.span = replace(self.span, children=(*self.span.children, child))

    def closed(self, event: events.SpanFinished) -> Span:
        return replace(
            self.span,
            tags={**self.span.tags, **event.tags},
            error=event.error,
            duration=event.at - self._began,
        )
