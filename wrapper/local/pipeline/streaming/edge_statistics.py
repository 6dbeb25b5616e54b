"""What became of the messages of each edge, from the reports of all pods that send along it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Edge = tuple[str, str]
"""A sender and a receiver."""

KEPT_TIMES = 1000
"""How many waiting and handling times of an edge count for its percentiles."""
RATE_WINDOW = 5.0
"""Seconds that a rate is an average of."""
_COUNTERS = ("sent", "responses", "dropped", "redelivered")


@dataclass(frozen=True)
class EdgeState:
    """An edge at one time.

    Attributes:
        rate: messages handled per second.
        queue: messages that wait.
        in_flight: messages that were fetched and are not handled yet.
        handled: messages handled since the start.
        waiting: milliseconds that messages waited, as (p50, p99); None if not known.
        handling: milliseconds that handling took, as (p50, p99); None if not known.
    """

    edge: Edge
    rate: float
    queue: int
    in_flight: int
    handled: int
    dropped: int
    redelivered: int
    waiting: tuple[float, float] | None
    handling: tuple[float, float] | None


class EdgeStatistics:
    """The statistics of all edges.

    Args:
        edges: the edges that are shown, in their order.
    """

    def __init__(self, edges: tuple[Edge, ...]) -> None:
        self._edges = {edge: _Edge() for edge in edges}

    def report(
        self, pod: int, node: str, reports: tuple[Mapping[str, Any], ...], now: float
    ) -> None:
        """Take a report of a pod."""
        for each in reports:
            edge = self._edges.get((node, str(each.get("nodeName"))))
            if edge is not None:
                edge.report(pod, each, now)

    def gone(self, pod: int) -> None:
        """Note that a pod has ended: what waited in it is lost."""
        for edge in self._edges.values():
            edge.gone(pod)

    def handled_by(self, node: str) -> int:
        """Return how many messages a node has handled."""
        return sum(
            edge.total("responses") for (_, target), edge in self._edges.items() if target == node
        )

    def open_messages(self) -> dict[Edge, int]:
        """Return how many messages wait or are in work, for the edges that have any."""
        found = {name: edge.queue + edge.in_flight for name, edge in self._edges.items()}
        return {name: count for name, count in found.items() if count}

    def states(self, now: float) -> Iterator[EdgeState]:
        """Yield the state of each edge."""
        for name, edge in self._edges.items():
            yield EdgeState(
                name,
                edge.rate(now),
                edge.queue,
                edge.in_flight,
                edge.total("responses"),
                edge.total("dropped"),
                edge.total("redelivered"),
                percentiles(edge.waiting),
                percentiles(edge.handling),
            )


class _Edge:
    """The reports of one edge."""

    def __init__(self) -> None:
        self.waiting: deque[float] = deque(maxlen=KEPT_TIMES)
        self.handling: deque[float] = deque(maxlen=KEPT_TIMES)
        self._pods: dict[int, Mapping[str, Any]] = {}
        self._ended = dict.fromkeys(_COUNTERS, 0)
        self._handled: deque[tuple[float, int]] = deque()

    def report(self, pod: int, report: Mapping[str, Any], now: float) -> None:
        self._pods[pod] = report
        self.waiting.extend(report.get("queueDurations") or ())
        self.handling.extend(report.get("netDurations") or ())
        self._handled.append((now, self.total("responses")))
        while self._handled[0][0] < now - 2 * RATE_WINDOW:
            self._handled.popleft()

    def gone(self, pod: int) -> None:
        last = self._pods.pop(pod, None)
        if last is not None:
            for name in _COUNTERS:
                self._ended[name] += last.get(name) or 0
            # Nobody will report them any more.
            self._ended["sent"] -= (last.get("sent") or 0) - (last.get("responses") or 0)

    def total(self, name: str) -> int:
        return self._ended[name] + sum(report.get(name) or 0 for report in self._pods.values())

    @property
    def queue(self) -> int:
        return sum(report.get("queueSize") or 0 for report in self._pods.values())

    @property
    def in_flight(self) -> int:
        return max(0, self.total("sent") - self.total("responses"))

    def rate(self, now: float) -> float:
        since = [(at, count) for at, count in self._handled if at >= now - RATE_WINDOW]
        if len(since) < 2 or since[-1][0] <= since[0][0]:
            return 0.0
        return (since[-1][1] - since[0][1]) / (since[-1][0] - since[0][0])


def percentiles(times: deque[float]) -> tuple[float, float] | None:
    """Return the median and the 99th percentile; None without times."""
    if not times:
        return None
    ordered = sorted(times)
    last = len(ordered) - 1
    return ordered[last // 2], ordered[min(last, round(last * 0.99))]
