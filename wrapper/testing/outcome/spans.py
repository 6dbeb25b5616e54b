"""The spans of a run, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...local.show.span_tree import ShownSpan as GatheredSpan
from ...local.show.span_tree import SpanTree
from ...local.worker import events


@dataclass(frozen=True)
class Span:
    """A tracing span of the algorithm.

    Attributes:
        name: Name that the algorithm gave it.
        tags: Tags from its start and its end.
        error: The error it finished with; ``None`` if it succeeded.
        children: The spans nested in it.
        duration: Seconds from start to end; ``None`` if it was never finished.
    """

    name: str
    tags: Mapping[str, Any]
    error: Any = None
    children: tuple[Span, ...] = ()
    duration: float | None = None


def span_tree(worker_events: Iterable[events.WorkerEvent]) -> tuple[Span, ...]:
    """Build the tree from a run's events; events of other kinds are ignored."""
    tree = SpanTree()
    for event in worker_events:
        tree(event)
    return tuple(map(_frozen, tree.roots))


def _frozen(span: GatheredSpan) -> Span:
    children = tuple(map(_frozen, span.children))
    return Span(span.name, span.tags, span.error, children, span.seconds)
