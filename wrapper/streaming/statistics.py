"""The times and counts that HKube's worker scales consumers by.

The worker takes a list with one report for each child every 2 seconds. A report for a node that is
no child, or one that is not a list of objects, ends the worker: what is made here has exact types.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from .queue import ChildCounts

# Of each list in a report: HKube's wrappers keep the last 10 since the last report.
MOST_DURATIONS = 10


class EdgeReport(NamedTuple):
    """What is reported of one child.

    Attributes:
        node: the child's name.
        counts: totals since the start.
        net_durations: milliseconds that consumers took, as they measured them.
        durations: milliseconds from sending to the report that it was handled.
        queue_durations: milliseconds that messages waited.
    """

    node: str
    counts: ChildCounts
    net_durations: list[float]
    durations: list[float]
    queue_durations: list[float]

    def message(self) -> dict[str, Any]:
        """As the worker takes it."""
        return {
            "nodeName": self.node,
            "sent": self.counts.sent,
            "queueSize": self.counts.waiting,
            "netDurations": self.net_durations,
            "durations": self.durations,
            "queueDurations": self.queue_durations,
            "responses": self.counts.responses,
            "dropped": self.counts.dropped,
            # HKube's worker passes over this one; the local tools show it.
            "redelivered": self.counts.redelivered,
        }


class ChildStatistics:
    """The times of one child's messages since the last report."""

    def __init__(self) -> None:
        self._net: deque[float] = deque(maxlen=MOST_DURATIONS)
        self._durations: deque[float] = deque(maxlen=MOST_DURATIONS)
        self._queue: deque[float] = deque(maxlen=MOST_DURATIONS)

    def sent(self, waited: float) -> None:
        """A message was handed out; it had waited so many milliseconds."""
        self._queue.append(waited)

    def handled(self, duration: float, own: float) -> None:
        """A message was handled: milliseconds as seen here, and as the consumer measured them."""
        self._durations.append(duration)
        self._net.append(own)

    def report(self, node: str, counts: ChildCounts) -> EdgeReport:
        """The report of these times; the next one begins anew."""
        times = [[round(each, 4) for each in kept] for kept in self._all]
        for kept in self._all:
            kept.clear()
        return EdgeReport(node, counts, *times)

    @property
    def _all(self) -> tuple[deque[float], deque[float], deque[float]]:
        return self._net, self._durations, self._queue
