"""Parses the descriptor of a streaming pipeline; an error names the place of the mistake."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .descriptor import DEFAULT_TTL, Node, Pipeline
from .fields import DescriptorError, Fields
from .flows import FlowSyntaxError, Hops, parse_flow
from .inputs import CARTESIAN, INDEXED
from .parsing import parse_input, pipeline_name, with_flow_input
from .references import DATA_SOURCE, RESERVED_NAMES, Tree, references_of
from .stream import StreamNode, StreamPipeline

_PIPELINE_FIELDS = ("name", "kind", "nodes", "streaming", "flowInput", "options", "priority")
_NODE_FIELDS = (
    *("nodeName", "algorithmName", "input", "batchOperation", "kind", "stateType", "spec"),
    *("minStatelessCount", "maxStatelessCount", "metrics", "extraData", "ttl", "retry"),
)
_KINDS = ("algorithm", "debug", "gateway")
_STATE_TYPES = ("stateful", "stateless")

StateTypeOf = Callable[[str], str | None]
"""Returns the `stateType` that an algorithm's own description gives."""


def is_stream(document: Any) -> bool:
    """Whether a descriptor is one of a streaming pipeline."""
    return isinstance(document, dict) and document.get("kind") == "stream"


def parse_stream(
    document: Any, where: str, name: str | None = None, state_type_of: StateTypeOf = lambda _: None
) -> StreamPipeline:
    """Return the streaming pipeline that a descriptor's JSON describes.

    Args:
        document: the JSON value, of any type.
        where: the document's name in errors, for example its file.
        name: the pipeline's name if the document does not have one.
        state_type_of: the `stateType` of an algorithm, for nodes that do not say it.

    Raises:
        DescriptorError: the descriptor is invalid; reports the first mistake.
    """
    fields = Fields(document, where)
    fields.refuse_misspelt(_PIPELINE_FIELDS)
    options = Fields(fields.get("options") or {}, f"{where}: options")
    options.refuse_misspelt(("ttl",))
    items = fields.array("nodes")
    if not items:
        raise fields.error("nodes", "a pipeline needs at least one node")
    nodes: list[StreamNode] = []
    for index, item in enumerate(items):
        node = _parse_node(item, f"{where}: nodes[{index}]", state_type_of)
        if any(node.name == other.name for other in nodes):
            raise DescriptorError(f"{where}: nodes[{index}]: there are two nodes '{node.name}'")
        nodes.append(node)
    streaming = Fields(fields.get("streaming") or {}, f"{where}: streaming")
    streaming.refuse_misspelt(("flows", "defaultFlow"))
    flows = _parse_flows(streaming, [node.name for node in nodes])
    pipeline = StreamPipeline(
        pipeline_name(fields, name),
        tuple(nodes),
        flows,
        _default_flow(streaming, flows),
        flow_input=fields.object("flowInput", {}),
        ttl=options.integer("ttl", DEFAULT_TTL, least=1),
        priority=fields.integer("priority", 3, least=1, most=5),
    )
    _check_entry_nodes(pipeline, where)
    return pipeline


def with_stream_input(pipeline: StreamPipeline, flow_input: Any, where: str) -> StreamPipeline:
    """Return a pipeline with its flow input, after checking every reference to it.

    Raises:
        DescriptorError: the flow input does not have what a reference needs.
    """
    nodes = tuple(Node(node.name, node.algorithm, node.inputs) for node in pipeline.nodes)
    checked = with_flow_input(
        Pipeline(pipeline.name, nodes, pipeline.flow_input), flow_input, where
    )
    return replace(pipeline, flow_input=checked.flow_input)


def _parse_node(document: Any, where: str, state_type_of: StateTypeOf) -> StreamNode:
    fields = Fields(document, where)
    name = fields.text("nodeName")
    fields = Fields(document, f"{where} '{name}'")
    fields.refuse_misspelt(_NODE_FIELDS)
    if name in RESERVED_NAMES:
        raise fields.error("nodeName", f"'{name}' is reserved by HKube; choose another name")
    kind = fields.text("kind", "algorithm")
    if kind == "output":
        raise fields.error("kind", "a streaming pipeline cannot have nodes of kind 'output'")
    if kind not in _KINDS:
        raise fields.error("kind", f"nodes of kind '{kind}' run in HKube only")
    if kind == "gateway":
        return _parse_gateway(name, fields)
    algorithm = fields.text("algorithmName")
    given = fields.get("stateType")
    default = state_type_of(algorithm) or "stateless"
    is_stateless = fields.one_of("stateType", _STATE_TYPES, default) == "stateless"
    least, most = _parse_counts(fields, given == "stateless")
    return StreamNode(
        name,
        algorithm,
        is_stateless,
        inputs=tuple(
            _parse_node_input(item, f"{fields.where}: input[{index}]")
            for index, item in enumerate(fields.array("input", []))
        ),
        operation=fields.one_of("batchOperation", (INDEXED, CARTESIAN), INDEXED),
        least=least,
        most=most,
        metrics=fields.object("metrics", {"tensorboard": True}),
        extra_data=fields.object("extraData", {}),
    )


def _parse_gateway(name: str, fields: Fields) -> StreamNode:
    if fields.get("stateType") == "stateless":
        raise fields.error("stateType", "a gateway is always stateful")
    _parse_counts(fields, False)
    spec = Fields(fields.get("spec") or {}, f"{fields.where}: spec")
    return StreamNode(name, "", False, gateway=spec.text("name", secrets.token_hex(4)))


def _parse_counts(fields: Fields, may_scale: bool) -> tuple[int, int | None]:
    """Return the least and the most pods of a node."""
    for name in ("minStatelessCount", "maxStatelessCount"):
        if fields.get(name) is not None and not may_scale:
            raise fields.error(name, 'only a node with "stateType": "stateless" can have it')
    least = fields.integer("minStatelessCount", 0, least=0)
    if fields.get("maxStatelessCount") is None:
        return least, None
    most = fields.integer("maxStatelessCount", 1, least=1)
    if least > most:
        raise fields.error(
            "minStatelessCount", f"{least} is more than maxStatelessCount, which is {most}"
        )
    return least, most


def _parse_node_input(item: Any, where: str) -> Tree:
    tree = parse_input(item, where)
    for reference in references_of(tree):
        if reference.name == DATA_SOURCE:
            raise DescriptorError(f"{where}: '{reference}': data sources exist in HKube only")
        if not reference.is_flow_input:
            raise DescriptorError(
                f"{where}: '{reference}': the nodes of a streaming pipeline pass messages, not "
                "results; use '@flowInput' or a flow"
            )
    return tree


def _parse_flows(streaming: Fields, nodes: list[str]) -> dict[str, Hops]:
    given = streaming.object("flows", {})
    if not given:
        raise streaming.error("flows", 'a streaming pipeline needs a flow: {"main": "A >> B"}')
    flows = {}
    for name in given:
        fields = Fields(given, f"{streaming.where}: flows")
        try:
            flows[name] = parse_flow(fields.text(name), nodes)
        except FlowSyntaxError as error:
            raise fields.error(name, str(error)) from error
    return flows


def _default_flow(streaming: Fields, flows: dict[str, Hops]) -> str | None:
    """Return the default flow; as in HKube, it need not exist."""
    if streaming.get("defaultFlow") is None:
        if len(flows) > 1:
            raise streaming.error("defaultFlow", "it is needed, because there are several flows")
        return next(iter(flows))
    return streaming.text("defaultFlow")


def _check_entry_nodes(pipeline: StreamPipeline, where: str) -> None:
    for node in pipeline.entry_nodes:
        if node.is_stateless:
            index = pipeline.nodes.index(node)
            raise DescriptorError(
                f"{where}: nodes[{index}] '{node.name}': stateType: a node that gets no messages "
                'must be stateful; add "stateType": "stateful"'
            )
