"""The spans of a task as a tree."""

from __future__ import annotations

from wrapper.local.show.span_tree import ShownSpan, SpanTree, tree_lines
from wrapper.local.worker import events


def started(at: float, name: str, **tags: object) -> events.SpanStarted:
    return events.SpanStarted(at=at, task_id="t", name=name, tags=tags)


def finished(at: float, error: object = None, **tags: object) -> events.SpanFinished:
    return events.SpanFinished(at=at, task_id="t", tags=tags, error=error)


def test_spans_nest() -> None:
    tree = SpanTree()
    tree(started(1, "a", x=1))
    tree(started(2, "b"))
    assert tree.path == "a › b"
    tree(finished(3, "bad", y=2))
    tree(started(4, "c"))
    tree(finished(6))
    tree(finished(7))
    tree(started(8, "d"))
    b = ShownSpan("b", {"y": 2}, 2, 3, "bad")
    c = ShownSpan("c", {}, 4, 6)
    assert tree.roots == [ShownSpan("a", {"x": 1}, 1, 7, None, [b, c]), ShownSpan("d", {}, 8)]
    assert (b.seconds, tree.roots[1].seconds) == (1, None)


def test_extra_finish_is_ignored() -> None:
    tree = SpanTree()
    tree(finished(1))
    assert (tree.roots, tree.path) == ([], "")


def test_tree_drawing() -> None:
    leaf = ShownSpan("leaf", {}, 0)
    spans = [ShownSpan("a", {}, 0, children=[leaf, leaf]), ShownSpan("b", {}, 0, children=[leaf])]
    assert [lead + span.name for lead, span in tree_lines(spans)] == [
        "├─ a",
        "│  ├─ leaf",
        "│  └─ leaf",
        "└─ b",
        "   └─ leaf",
    ]
