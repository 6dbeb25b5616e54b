"""A parsed streaming pipeline: its nodes, and the flows of messages between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .descriptor import DEFAULT_TTL
from .flows import Hops, edges_of
from .inputs import INDEXED
from .references import Tree


@dataclass(frozen=True)
class StreamNode:
    """A node of a streaming pipeline.

    Attributes:
        name: its name, which flows use.
        algorithm: the name of its algorithm; empty for a gateway.
        is_stateless: its `start` is called once for each message.
        inputs: the input of its tasks, with references to the flow input.
        operation: how several batches in its input combine: `indexed` or `cartesian`.
        least: the minimum number of pods of a stateless node.
        most: the maximum number of pods of a stateless node; None for no limit of its own.
        gateway: a gateway's name; None for other nodes.
    """

    name: str
    algorithm: str
    is_stateless: bool
    inputs: tuple[Tree, ...] = ()
    operation: str = INDEXED
    least: int = 0
    most: int | None = None
    gateway: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=lambda: {"tensorboard": True})
    extra_data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StreamPipeline:
    """A streaming pipeline.

    Attributes:
        flows: the hops of each flow, by the flow's name.
        default_flow: the flow of a message whose sender names none; None if there is no default.
        flow_input: the pipeline's input.
        ttl: seconds that it may take.
    """

    name: str
    nodes: tuple[StreamNode, ...]
    flows: Mapping[str, Hops]
    default_flow: str | None
    flow_input: Any = field(default_factory=dict)
    ttl: int = DEFAULT_TTL
    priority: int = 3

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The sender and the receiver of each edge, over all flows, without duplicates."""
        found = (edge for hops in self.flows.values() for edge in edges_of(hops))
        return tuple(dict.fromkeys(found))

    def children_of(self, name: str) -> tuple[str, ...]:
        """Return the nodes that a node sends messages to, over all flows."""
        return tuple(target for source, target in self.edges if source == name)

    def parents_of(self, name: str) -> tuple[str, ...]:
        """Return the nodes that a node gets messages from, over all flows."""
        return tuple(source for source, target in self.edges if target == name)

    def node(self, name: str) -> StreamNode:
        """Return the node of a name, which must exist."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def entry_nodes(self) -> tuple[StreamNode, ...]:
        """The nodes that are in a flow and get no messages."""
        sources = {source for source, _ in self.edges}
        return tuple(
            node for node in self.nodes if node.name in sources and not self.parents_of(node.name)
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences about what is probably a mistake, though HKube accepts it."""
        found = []
        if self.default_flow is not None and self.default_flow not in self.flows:
            found.append(
                f"streaming.defaultFlow is '{self.default_flow}', but there is no such flow: a "
                "message that names no flow will fail"
            )
        in_flows = {name for edge in self.edges for name in edge}
        found += [f"node '{n.name}' is in no flow" for n in self.nodes if n.name not in in_flows]
        return tuple(found)
