"""The spans of a run as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...local.show.span_tree import ShownSpan as GatheredSpan
from ...local.show.span_tree import SpanTree
from ...local.worker import events


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


def span_tree(told: Iterable[events.WorkerEvent]) -> tuple[Span, ...]:
    """Make the tree of a run's events; what else is among them is passed over."""
    tree = SpanTree()
    for event in told:
        tree(event)
    return tuple(map(_frozen, tree.roots))


def _frozen(span: GatheredSpan) -> Span:
    children = tuple(map(_frozen, span.children))
    return Span(span.name, span.tags, span.error, children, span.seconds)
