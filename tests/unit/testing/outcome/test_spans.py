"""The tree of a run's spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.worker import events
from wrapper.testing.outcome.spans import Span, span_tree


def started(name: str, at: float = 0.0, **tags: object) -> events.SpanStarted:
    return events.SpanStarted(at=at, task_id="t", name=name, tags=tags)


def finished(at: float = 0.0, error: object = None, **tags: object) -> events.SpanFinished:
    return events.SpanFinished(at=at, task_id="t", tags=tags, error=error)


def test_no_spans() -> None:
    assert span_tree([]) == ()


def test_nested_spans() -> None:
    recorded = [
        started("a", 1.0, size=3),
        started("b", 2.0),
        finished(2.5, error="it failed"),
        started("c", 3.0),
        finished(3.0),
        finished(5.0, rows=7),
        started("d", 6.0),
        finished(6.5),
    ]
    a, d = span_tree(recorded)
    assert (a.name, a.tags, a.error, a.duration) == ("a", {"size": 3, "rows": 7}, None, 4.0)
    assert [(each.name, each.error, each.duration) for each in a.children] == [
        ("b", "it failed", 0.5),
        ("c", None, 0.0),
    ]
    assert (d.name, d.children, d.duration) == ("d", (), 0.5)


def test_unfinished_span_has_no_duration() -> None:
    (outer,) = span_tree([started("outer"), started("inner"), finished(1.0)])
    assert outer.duration is None
    assert outer.children[0].duration == 1.0


def test_unmatched_end_and_other_events_are_ignored() -> None:
    progress = events.Progress(at=0.0, task_id="t", value=1, details=None)
    assert span_tree([finished(), progress, started("a"), finished(1.0)]) == (
        Span("a", {}, duration=1.0),
    )


@given(st.lists(st.booleans(), max_size=60))
def test_each_span_appears_once_and_in_order(opens: list[bool]) -> None:
    recorded = [started(str(at), at) if opens_ else finished(at) for at, opens_ in enumerate(opens)]
    assert names(span_tree(recorded)) == [str(at) for at, opens_ in enumerate(opens) if opens_]


def names(spans: tuple[Span, ...]) -> list[str]:
    return [name for span in spans for name in (span.name, *names(span.children))]
