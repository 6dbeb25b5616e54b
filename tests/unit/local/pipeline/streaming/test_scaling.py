"""How many pods a stateless node gets."""

from __future__ import annotations

from typing import Any

from wrapper.local.pipeline.streaming.scaling import PAUSE_AFTER_GROWTH, NodeScaling


def report(queue: int, sent: int, durations: list[float]) -> dict[str, Any]:
    return {"queueSize": queue, "sent": sent, "durations": durations}


def fed(scaling: NodeScaling, *reports: dict[str, Any], pod: int = 1, start: float = 0.0) -> None:
    """Report once in half a second."""
    for number, each in enumerate(reports):
        scaling.report(pod, each, start + number / 2)


def test_the_minimum_is_started_at_once() -> None:
    assert NodeScaling(2, 5).decide(0, 0.0) == 2


def test_pods_are_added_for_what_waits() -> None:
    scaling = NodeScaling(1, 8)
    # 10 messages a second by one pod: 90 that wait need 3 pods for 3 seconds.
    fed(scaling, *[report(90, 0, [100.0])] * 3)
    assert scaling.decide(1, 1.0) == 3


def test_pods_are_added_for_the_rate_of_requests() -> None:
    scaling = NodeScaling(1, 8)
    fed(scaling, report(0, 0, [100.0]), report(0, 10, [100.0]), report(0, 20, [100.0]))
    assert scaling.decide(1, 1.0) == 2


def test_the_maximum_holds() -> None:
    scaling = NodeScaling(1, 4)
    fed(scaling, *[report(10_000, 0, [1000.0])] * 3)
    assert scaling.decide(1, 1.0) == 4


def test_a_change_waits_for_some_reports() -> None:
    scaling = NodeScaling(1, 8)
    fed(scaling, *[report(90, 0, [100.0])] * 3)
    assert scaling.decide(1, 1.0) == 3
    assert scaling.decide(1, 1.1) == 1


def test_pods_are_removed_once_nothing_waits_for_a_while() -> None:
    scaling = NodeScaling(1, 8)
    fed(scaling, *[report(90, 0, [100.0])] * 3)
    assert scaling.decide(1, 1.0) == 3
    fed(scaling, *[report(0, 90, [100.0])] * 10, start=1.5)
    assert scaling.decide(3, 1.0 + PAUSE_AFTER_GROWTH / 2) == 3
    assert scaling.decide(3, 1.0 + PAUSE_AFTER_GROWTH) == 1


def test_a_parents_pod_that_has_gone_does_not_count() -> None:
    scaling = NodeScaling(1, 8)
    fed(scaling, *[report(90, 0, [100.0])] * 3)
    scaling.gone(1)
    assert scaling.queue == 0
    assert scaling.decide(1, 1.0) == 1
