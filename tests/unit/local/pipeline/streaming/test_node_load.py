"""The load of nodes, from what their pods have used."""

from __future__ import annotations

from wrapper.local.pipeline.streaming.node_load import NodeLoad, NodeLoads
from wrapper.local.run.usage import ResourceUsage

NODES = {1: "A", 2: "B", 3: "B"}


def test_cpu_is_what_was_used_since_the_measurement_before() -> None:
    loads = NodeLoads()
    assert loads.is_due(10.0)
    loads.measured({1: ResourceUsage(5.0, 100), 2: ResourceUsage(0.0, 10)}, NODES, 10.0)
    assert loads.loads == {"A": NodeLoad(0.0, 100), "B": NodeLoad(0.0, 10)}
    assert not loads.is_due(10.9)
    usages = {1: ResourceUsage(6.0, 200), 2: ResourceUsage(3.0, 20), 3: ResourceUsage(1.0, 5)}
    loads.measured(usages, NODES, 12.0)
    assert loads.loads == {"A": NodeLoad(0.5, 200), "B": NodeLoad(1.5, 25)}


def test_pod_that_has_ended_counts_no_more() -> None:
    loads = NodeLoads()
    loads.measured({1: ResourceUsage(5.0, 100), 2: ResourceUsage(1.0, 10)}, NODES, 1.0)
    loads.measured({2: ResourceUsage(0.0, 0)}, NODES, 2.0)
    assert loads.loads == {"B": NodeLoad(0.0, 0)}
