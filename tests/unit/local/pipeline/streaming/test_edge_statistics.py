"""The numbers that are shown for an edge."""

from __future__ import annotations

from typing import Any

from wrapper.local.pipeline.streaming.edge_statistics import EdgeState, EdgeStatistics

EDGE = ("A", "B")


def report(**fields: Any) -> dict[str, Any]:
    return {"nodeName": "B", "sent": 0, "queueSize": 0, "responses": 0, "dropped": 0, **fields}


def state(statistics: EdgeStatistics, now: float = 0.0) -> EdgeState:
    (only,) = statistics.states(now)
    return only


def test_the_pods_of_a_node_add_up() -> None:
    statistics = EdgeStatistics((EDGE,))
    statistics.report(1, "A", (report(sent=5, responses=3, queueSize=2),), 0.0)
    statistics.report(2, "A", (report(sent=4, responses=4, dropped=1, redelivered=2),), 0.0)
    found = state(statistics)
    assert (found.queue, found.in_flight, found.handled) == (2, 2, 7)
    assert (found.dropped, found.redelivered) == (1, 2)
    assert statistics.handled_by("B") == 7


def test_a_rate_is_that_of_the_last_seconds() -> None:
    statistics = EdgeStatistics((EDGE,))
    for second in range(20):
        count = 10 * min(second, 10)
        statistics.report(1, "A", (report(responses=count, sent=count),), float(second))
    assert state(statistics, 19.0).rate == 0
    statistics.report(1, "A", (report(responses=150, sent=150),), 20.0)
    assert state(statistics, 20.0).rate == 10


def test_what_a_pod_has_handled_counts_after_its_end_but_not_what_waited_in_it() -> None:
    statistics = EdgeStatistics((EDGE,))
    statistics.report(1, "A", (report(sent=5, responses=3, queueSize=9),), 0.0)
    statistics.gone(1)
    found = state(statistics)
    assert (found.queue, found.in_flight, found.handled) == (0, 0, 3)


def test_waiting_and_handling_have_percentiles() -> None:
    statistics = EdgeStatistics((EDGE,))
    assert state(statistics).waiting is None
    times = [float(number) for number in range(1, 101)]
    statistics.report(1, "A", (report(queueDurations=times, netDurations=[3.0]),), 0.0)
    assert state(statistics).waiting == (50.0, 99.0)
    assert state(statistics).handling == (3.0, 3.0)


def test_an_edge_that_is_not_shown_is_passed_over() -> None:
    statistics = EdgeStatistics((EDGE,))
    statistics.report(1, "B", ({**report(), "nodeName": "local-output"},), 0.0)
    assert state(statistics).handled == 0
