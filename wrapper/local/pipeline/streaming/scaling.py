"""How many pods a stateless node needs: HKube's formula, with shorter times.

HKube: pods = ⌈(queue + request rate · T) / (T · rate of one pod)⌉, with T = 30 s. The rate of one
pod is 1000 / mean(`durations`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

WINDOW = 3.0
"""T in seconds: how soon the queue should be empty."""
REPORTS_KEPT = 10
DURATIONS_KEPT = 100
REPORTS_NEEDED = 3
"""How many reports must follow a change before the next one; HKube needs 5."""
PAUSE_AFTER_GROWTH = 5.0
"""Seconds after a start of pods in which none is stopped; HKube waits 30."""
MOST_PER_STEP = 10


class NodeScaling:
    """The number of pods that one stateless node should have.

    Args:
        least: the minimum number of pods.
        most: the maximum number of pods.
    """

    def __init__(self, least: int, most: int) -> None:
        self.least = least
        self.most = max(least, most)
        self._reports: dict[int, deque[tuple[float, Mapping[str, Any]]]] = {}
        self._durations: deque[float] = deque(maxlen=DURATIONS_KEPT)
        self._news = 0
        self._grown_at = -math.inf

    def report(self, parent_pod: int, report: Mapping[str, Any], now: float) -> None:
        """Take what a parent's pod reports of this node."""
        kept = self._reports.setdefault(parent_pod, deque(maxlen=REPORTS_KEPT))
        kept.append((now, report))
        self._durations.extend(report.get("durations") or ())
        self._news += 1

    def gone(self, parent_pod: int) -> None:
        """Note that a parent's pod has ended."""
        self._reports.pop(parent_pod, None)

    def decide(self, present: int, now: float) -> int:
        """Return how many pods the node should have now.

        Args:
            present: how many it has, without those that are stopping.
            now: seconds.
        """
        if present < self.least:
            return self.least
        if self._news < REPORTS_NEEDED:
            return present
        wanted = min(max(self._wanted(), self.least), self.most, present + MOST_PER_STEP)
        if wanted > present:
            self._grown_at = now
        elif wanted < present:
            is_early = now - self._grown_at < PAUSE_AFTER_GROWTH
            if is_early or self.queue > self.request_rate:
                return present
        if wanted != present:
            self._news = 0
        return wanted

    @property
    def queue(self) -> int:
        """The messages that wait for the node."""
        return sum(kept[-1][1].get("queueSize") or 0 for kept in self._reports.values())

    @property
    def request_rate(self) -> float:
        """Messages a second that are sent to the node."""
        return sum(_rate(kept) for kept in self._reports.values())

    def _wanted(self) -> int:
        if not self._durations:
            return 1 if self.queue else 0
        pod_rate = 1000 / max(sum(self._durations) / len(self._durations), 0.001)
        return math.ceil((self.queue + self.request_rate * WINDOW) / (WINDOW * pod_rate))


def _rate(kept: deque[tuple[float, Mapping[str, Any]]]) -> float:
    (began, first), (ended, last) = kept[0], kept[-1]
    if ended <= began:
        return 0.0
    requests = [(each.get("queueSize") or 0) + (each.get("sent") or 0) for each in (first, last)]
    return max(0.0, (requests[1] - requests[0]) / (ended - began))
