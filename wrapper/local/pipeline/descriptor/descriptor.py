"""A parsed pipeline descriptor: its nodes, their inputs, and the options that matter locally."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .inputs import INDEXED
from .references import Reference, Tree, references_of

DEFAULT_TTL = 3600
"""Seconds that a pipeline may take, as in HKube."""
DEFAULT_TOLERANCE = 80
"""Percentage of failed tasks in a batch at which the pipeline fails, as in HKube."""


@dataclass(frozen=True)
class Retry:
    """When a failed task is retried.

    Attributes:
        policy: `Never`, `OnError`, `OnCrash` or `Always`.
        limit: the maximum number of retries.
    """

    policy: str = "OnCrash"
    limit: int = 3


@dataclass(frozen=True)
class Node:
    """A node of a pipeline.

    Attributes:
        name: its name, which references use.
        algorithm: the name of its algorithm.
        inputs: the input of its tasks, with references.
        operation: how several batches in its input combine: `indexed` or `cartesian`.
        after: nodes it waits for without using their results.
        ttl: seconds that each of its tasks may take; 0 for no limit.
        retry: when a failed task is retried.
        in_results: whether the pipeline's results include it even if another node uses its result.
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

    # Looked up once: each task asks for them, and the input may hold thousands of items.
    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """The references to other nodes."""
        found = references_of(list(self.inputs))
        return tuple(reference for reference in found if not reference.is_flow_input)

    @cached_property
    def parents(self) -> tuple[str, ...]:
        """The nodes it waits for, without duplicates."""
        used = (reference.name for reference in self.references)
        return tuple(dict.fromkeys((*used, *self.after)))

    @property
    def any_parents(self) -> tuple[str, ...]:
        """The nodes whose tasks it waits for one by one."""
        found = (ref.name for ref in self.references if ref.relation.is_any)
        return tuple(dict.fromkeys(found))

    @property
    def whole_parents(self) -> tuple[str, ...]:
        """The nodes it waits for as a whole; a node may also be in `any_parents`."""
        found = (ref.name for ref in self.references if not ref.relation.is_any)
        return tuple(dict.fromkeys((*found, *self.after)))


@dataclass(frozen=True)
class Pipeline:
    """A pipeline.

    Attributes:
        flow_input: its input, unless the caller passes another.
        ttl: seconds that it may take; 0 for no limit.
        tolerance: the percentage of failed tasks in a batch at which the pipeline fails.
    """

    name: str
    nodes: tuple[Node, ...]
    flow_input: Any = field(default_factory=dict)
    ttl: int = DEFAULT_TTL
    tolerance: int = DEFAULT_TOLERANCE
    priority: int = 3

    def children_of(self, name: str) -> tuple[Node, ...]:
        """Return the nodes that wait for a node."""
        return tuple(node for node in self.nodes if name in node.parents)

    @property
    def flow_references(self) -> Iterator[tuple[Node, Reference]]:
        """The references to the pipeline's own input, with their nodes."""
        for node in self.nodes:
            for reference in references_of(list(node.inputs)):
                if reference.is_flow_input:
                    yield node, reference
