"""A pipeline as HKube describes it: nodes, what feeds them, and the options that count here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .inputs import INDEXED
from .references import Reference, Tree, references_of

DEFAULT_TTL = 3600
"""Seconds that a pipeline may take, as HKube has it."""
DEFAULT_TOLERANCE = 80
"""Percent of a batch's tasks that must fail for the pipeline to fail, as HKube has it."""


@dataclass(frozen=True)
class Retry:
    """When a task that failed is given to an algorithm again.

    Attributes:
        policy: `Never`, `OnError`, `OnCrash` or `Always`.
        limit: how many times again.
    """

    policy: str = "OnCrash"
    limit: int = 3


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        inputs: what its tasks get, with references in it.
        operation: how several batches of it go together, `indexed` or `cartesian`.
        after: nodes that it waits for without using their results.
        ttl: seconds that one of its tasks may take; 0 for any time.
        in_results: it is among the pipeline's results although another node uses its own.
    """

    name: str
    algorithm: str
    inputs: tuple[Tree, ...] = ()
    operation: str = INDEXED
    after: tuple[str, ...] = ()
    ttl: int = 0
    retry: Retry = Retry()
    metrics: Mapping[str, Any] = field(default_factory=lambda: {"tensorboard": True})
    extra_data: Mapping[str, Any] = field(default_factory=dict)
    in_results: bool = False

    @property
    def references(self) -> tuple[Reference, ...]:
        """The references to other nodes."""
        found = references_of(list(self.inputs))
        return tuple(reference for reference in found if not reference.is_flow_input)

    @property
    def parents(self) -> tuple[str, ...]:
        """The nodes that it waits for, each once."""
        used = (reference.name for reference in self.references)
        return tuple(dict.fromkeys((*used, *self.after)))

    @property
    def any_parents(self) -> tuple[str, ...]:
        """The nodes of which it waits for each task by itself."""
        found = (ref.name for ref in self.references if ref.relation.is_any)
        return tuple(dict.fromkeys(found))

    @property
    def whole_parents(self) -> tuple[str, ...]:
        """The nodes that it waits for as a whole; one may be among the others as well."""
        found = (ref.name for ref in self.references if not ref.relation.is_any)
        return tuple(dict.fromkeys((*found, *self.after)))


@dataclass(frozen=True)
class Pipeline:
    """One pipeline.

    Attributes:
        flow_input: its input, if whoever starts it gives no other.
        ttl: seconds that it may take.
        tolerance: percent of a batch's tasks that must fail for the pipeline to fail.
    """

    name: str
    nodes: tuple[Node, ...]
    flow_input: Any = field(default_factory=dict)
    ttl: int = DEFAULT_TTL
    tolerance: int = DEFAULT_TOLERANCE
    priority: int = 3

    def children_of(self, name: str) -> tuple[Node, ...]:
        """The nodes that wait for a node."""
        return tuple(node for node in self.nodes if name in node.parents)

    @property
    def flow_references(self) -> Iterator[tuple[Node, Reference]]:
        """The references to the pipeline's own input, with their nodes."""
        for node in self.nodes:
            for reference in references_of(list(node.inputs)):
                if reference.is_flow_input:
                    yield node, reference
