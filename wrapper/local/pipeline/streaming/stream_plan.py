"""What the nodes of a streaming pipeline are on this machine: algorithms, inputs and jobs.

What a stateless node returns that has no next node is lost in HKube. Here it goes to one more
node, which hands it to the command.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from ...source.source import AlgorithmSource
from ...worker.job import make_job
from ..catalog.algorithms import Algorithms
from ..descriptor.flows import Hops
from ..descriptor.inputs import expand, value_at
from ..descriptor.references import Reference
from ..descriptor.stream import StreamNode, StreamPipeline
from .stream_run import RunNode

OUTPUT = "local-output"
"""The node that gets what leaves the pipeline."""
LEAST_PODS = 4
"""Default maximum of pods of a stateless node on a small machine."""
STATISTICS_INTERVAL = 0.5
"""Seconds between two reports of a node; HKube's default is 2."""

_ENDPOINTS = Path(__file__).resolve().parent / "endpoints"


@dataclass(frozen=True)
class StreamOptions:
    """What the command was asked for.

    Attributes:
        most_pods: pods of a stateless node that gives no maximum itself; None for the default.
        gateway_ports: the HTTP port of each gateway, and of the node that the command feeds.
        output: the file that collects what leaves the pipeline.
    """

    output: str
    most_pods: int | None = None
    gateway_ports: Mapping[str, int] = field(default_factory=dict)


@final
class StreamPlan:
    """The nodes of a pipeline, ready to run.

    Args:
        pipeline: the pipeline with its flow input.
        algorithms: the algorithms by name.
        options: what the command was asked for.
    """

    def __init__(
        self, pipeline: StreamPipeline, algorithms: Algorithms, options: StreamOptions
    ) -> None:
        self._pipeline = pipeline
        self._algorithms = algorithms
        self._options = options
        self._job_id = f"local:{secrets.token_hex(4)}"
        self.last_nodes = tuple(
            node.name
            for node in pipeline.nodes
            if pipeline.parents_of(node.name) and not pipeline.children_of(node.name)
        )
        self._collected = {name for name in self.last_nodes if pipeline.node(name).is_stateless}
        self._flows = {name: self._with_output(hops) for name, hops in pipeline.flows.items()}
        self._inputs = {node.name: self._expand(node) for node in pipeline.nodes}

    @property
    def nodes(self) -> tuple[RunNode, ...]:
        """The nodes, and the one that collects what leaves the pipeline."""
        found = [self._run_node(node) for node in self._pipeline.nodes]
        if self._collected:
            parents = tuple(name for name in self.last_nodes if name in self._collected)
            found.append(RunNode(OUTPUT, False, 1, 1, parents, ()))
        return tuple(found)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """The edges that are shown."""
        return self._pipeline.edges

    @property
    def counted(self) -> tuple[str, ...]:
        """The last nodes that are stateful: what they handle has left the pipeline."""
        return tuple(name for name in self.last_nodes if name not in self._collected)

    def source(self, name: str) -> AlgorithmSource:
        """Return the algorithm of a node.

        Raises:
            WrapperError: it is unusable.
        """
        if name == OUTPUT:
            return AlgorithmSource(OUTPUT, _ENDPOINTS, "output.py")
        if self._is_gateway(name):
            return AlgorithmSource("gateway", _ENDPOINTS, "gateway.py")
        return self._algorithms.source(self._pipeline.node(name).algorithm)

    def pod_source(self, name: str, port: int) -> AlgorithmSource:
        """Return the algorithm of a node's pod, with the settings that only this pod has."""
        source = self.source(name)
        environ = {**source.environ, "STREAMING_DISCOVERY_PORT": str(port)}
        if self._is_gateway(name):
            environ["STREAMING_WHEN_FULL"] = "wait"  # nothing that was posted is lost
        return replace(source, environ=environ)

    def job(self, name: str, batch_index: int, task_id: str) -> dict[str, Any]:
        """Return the data of the `initialize` message for a pod of a node."""
        pipeline = self._pipeline
        if name == OUTPUT:
            parents, children = list(self._collected), []
            node = StreamNode(OUTPUT, OUTPUT, False)
        else:
            node = pipeline.node(name)
            parents, children = list(pipeline.parents_of(name)), list(pipeline.children_of(name))
            children += [OUTPUT] if name in self._collected else []
        is_stateless = node.is_stateless
        never, always = {"policy": "Never"}, {"policy": "Always", "limit": 10000}
        job = make_job(self._input(name, batch_index), self.source(name).name, name)
        return job | {
            "kind": "stream",
            "stateType": "stateless" if is_stateless else "stateful",
            "jobId": self._job_id,
            "taskId": task_id,
            "metrics": dict(node.metrics),
            "retry": never if is_stateless else always,
            "pipelineName": pipeline.name,
            "priority": pipeline.priority,
            "parents": parents,
            "childs": children,
            "parsedFlow": self._flows,
            "defaultFlow": pipeline.default_flow,
            "isScaled": is_stateless,
            "info": {**job["info"], "extraData": dict(node.extra_data)},
            "batchIndex": batch_index,
        }

    def _run_node(self, node: StreamNode) -> RunNode:
        pipeline = self._pipeline
        parents, children = pipeline.parents_of(node.name), pipeline.children_of(node.name)
        if node.name in self._collected:
            children = (*children, OUTPUT)
        is_batch = len(self._inputs[node.name]) != 1
        pods, most = len(self._inputs[node.name]), 1
        if node.is_stateless:
            is_batch = False
            default = self._options.most_pods or max(LEAST_PODS, os.cpu_count() or 1)
            most = node.most or default
            pods = max(node.least, 1) if parents else node.least
        return RunNode(node.name, node.is_stateless, pods, most, parents, children, is_batch)

    def _is_gateway(self, name: str) -> bool:
        return name in self._options.gateway_ports

    def _input(self, name: str, batch_index: int) -> list[Any]:
        if name == OUTPUT:
            return [self._options.output]
        if self._is_gateway(name):
            return [self._options.gateway_ports[name]]
        inputs = self._inputs[name]
        return inputs[max(batch_index - 1, 0)] if inputs else []

    def _expand(self, node: StreamNode) -> list[list[Any]]:
        def value_of(reference: Reference) -> Any:
            return value_at(self._pipeline.flow_input, reference.path)

        if self._is_gateway(node.name):
            return [[]]
        return expand(node.inputs, node.operation, value_of).inputs

    def _with_output(self, hops: Hops) -> Hops:
        """Let a flow go on to the node that collects what leaves the pipeline."""
        targets = {target for hop in hops for target in hop["next"]}
        last = [name for name in self.last_nodes if name in self._collected and name in targets]
        return [*hops, *({"source": name, "next": [OUTPUT]} for name in last)]
