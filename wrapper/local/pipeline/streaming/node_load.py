"""How much of the machine the nodes of a streaming pipeline use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...run.usage import ResourceUsage

MEASURED_EVERY = 1.0
"""Seconds between two measurements."""


class NodeLoad(NamedTuple):
    """What the pods of a node use.

    Attributes:
        cpu: CPUs in use: 1.0 is one whole CPU.
        memory: bytes.
    """

    cpu: float
    memory: int


class NodeLoads:
    """Computes the load of each node from what its pods have used.

    Attributes:
        loads: the load of each node, by its name.
    """

    def __init__(self) -> None:
        self.loads: dict[str, NodeLoad] = {}
        self._pods: dict[int, float] = {}
        self._measured_at: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time for the next measurement."""
        return self._measured_at is None or now - self._measured_at >= MEASURED_EVERY

    def measured(
        self, usages: Mapping[int, ResourceUsage], nodes: Mapping[int, str], now: float
    ) -> None:
        """Take a measurement.

        Args:
            usages: what each pod has used, by its number.
            nodes: the node of each pod.
            now: seconds.
        """
        seconds = 0.0 if self._measured_at is None else now - self._measured_at
        self.loads = {}
        for pod, usage in usages.items():
            before = self._pods.get(pod, usage.cpu)
            cpu = max(0.0, usage.cpu - before) / seconds if seconds else 0.0
            load = self.loads.get(nodes[pod], NodeLoad(0.0, 0))
            self.loads[nodes[pod]] = NodeLoad(load.cpu + cpu, load.memory + usage.memory)
        self._pods = {pod: usage.cpu for pod, usage in usages.items()}
        self._measured_at = now
