"""Parses a descriptor's JSON to a Pipeline; an error names the place of the mistake."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ....text.suggestions import did_you_mean, near_miss
from .descriptor import DEFAULT_TOLERANCE, DEFAULT_TTL, Node, Pipeline, Retry
from .fields import DescriptorError, Fields, Mistakes, shown, type_name
from .graph import check_graph
from .inputs import CARTESIAN, INDEXED, MISSING, suggestion_at, value_at
from .references import (
    RESERVED_NAMES,
    LiteralValue,
    ReferenceSyntaxError,
    Tree,
    leaves_of,
    parse_tree,
)

_NODE_KINDS_THAT_RUN = ("algorithm", "debug")
_POLICIES = ("Never", "OnError", "OnCrash", "Always")
_PIPELINE_FIELDS = ("name", "nodes", "flowInput", "options", "priority", "kind", "edges")
_NODE_FIELDS = (
    *("nodeName", "algorithmName", "input", "batchOperation", "includeInResult", "kind"),
    *("ttl", "retry", "metrics", "extraData", "includeInResults"),
)
_PIPELINE_NAME = re.compile(r"[:\-_.A-Za-z0-9]+")


def parse_pipeline(document: Any, where: str, name: str | None = None) -> Pipeline:
    """Return the pipeline that a descriptor's JSON describes.

    Args:
        document: the JSON value, of any type.
        where: the document's name in errors, for example its file.
        name: the pipeline's name if the document does not have one.

    Raises:
        DescriptorError: the descriptor is invalid; reports all mistakes.
    """
    mistakes = Mistakes()
    read = mistakes.read
    fields = Fields(document, where)
    read(None, fields.refuse_misspelt, _PIPELINE_FIELDS)
    kind = read("batch", fields.one_of, "kind", ("batch", "stream"), "batch")
    if kind == "stream":
        raise fields.error(
            "kind",
            "an algorithm cannot start a streaming pipeline on this machine; run it with "
            "`hkube-wrapper pipeline run`",
        )
    if fields.get("streaming") is not None:
        raise fields.error("streaming", 'flows need a streaming pipeline; add "kind": "stream"')
    called = read("pipeline", pipeline_name, fields, name)
    options = read(Fields({}, where), Fields, fields.get("options") or {}, f"{where}: options")
    read(None, options.refuse_misspelt, ("ttl", "batchTolerance"))
    nodes: list[Any] | None = read(None, fields.array, "nodes")
    if nodes == []:
        mistakes.add(fields.error("nodes", "a pipeline needs at least one node"))
    parsed = [
        read(None, _parse_node, node, f"{where}: nodes[{index}]", mistakes)
        for index, node in enumerate(nodes or ())
    ]
    known = [node for node in parsed if node is not None]
    whole = len(known) == len(parsed)  # otherwise references to a broken node look wrong too
    pipeline = Pipeline(
        called,
        read(tuple(known), _with_edges, fields, known) if whole else tuple(known),
        flow_input=read({}, fields.object, "flowInput", {}),
        ttl=read(1, options.integer, "ttl", DEFAULT_TTL, least=1),
        tolerance=read(0, options.integer, "batchTolerance", DEFAULT_TOLERANCE, least=0, most=100),
        priority=read(1, fields.integer, "priority", 3, least=1, most=5),
    )
    if whole:
        check_graph(
            pipeline, lambda at, text: mistakes.add(DescriptorError(f"{where}: {at}: {text}"))
        )
    mistakes.check()
    return pipeline


def pipeline_name(fields: Fields, default: str | None) -> str:
    """Return a pipeline's name.

    Raises:
        DescriptorError: HKube would refuse it.
    """
    name = fields.text("name", default)
    if not _PIPELINE_NAME.fullmatch(name):
        raise fields.error(
            "name", f"'{name}' may contain letters, digits, '-', '_', '.' and ':' only"
        )
    return name


def with_flow_input(pipeline: Pipeline, flow_input: Any, where: str) -> Pipeline:
    """Return a pipeline with its flow input, after checking every reference to it.

    Args:
        pipeline: the pipeline.
        flow_input: the new flow input; None keeps the pipeline's own.
        where: the pipeline's name in errors.

    Raises:
        DescriptorError: the flow input does not have what a reference needs.
    """
    given = pipeline.flow_input if flow_input is None else flow_input
    if not isinstance(given, dict):
        raise DescriptorError(f"{where}: flowInput: must be an object, not {shown(given)}")
    mistakes = Mistakes()
    for node, reference in pipeline.flow_references:
        value = value_at(given, reference.path)
        if value is MISSING:
            text = (
                f"{where}: node '{node.name}' uses '{reference}', which the flow input does not "
                f"have{suggestion_at(given, reference.path)}"
            )
            mistakes.add(DescriptorError(text))
        elif reference.is_batch and not isinstance(value, list):
            text = (
                f"{where}: node '{node.name}' makes a batch of '{reference}', which must be an "
                f"array, but the flow input has {type_name(value)}"
            )
            mistakes.add(DescriptorError(text))
    mistakes.check()
    return replace(pipeline, flow_input=given)


def _parse_node(document: Any, where: str, mistakes: Mistakes) -> Node | None:
    read = mistakes.read
    fields = Fields(document, where)
    name = fields.text("nodeName")
    fields = Fields(document, f"{where} '{name}'")
    read(None, fields.refuse_misspelt, _NODE_FIELDS)
    if name in RESERVED_NAMES:
        raise fields.error("nodeName", f"'{name}' is reserved by HKube; choose another name")
    kind = read("algorithm", fields.text, "kind", "algorithm")
    if kind not in _NODE_KINDS_THAT_RUN:
        raise fields.error("kind", f"nodes of kind {shown(kind)} run in HKube only")
    if fields.get("stateType") == "stateful":
        raise fields.error(
            "stateType", 'stateful nodes need a streaming pipeline; add "kind": "stream" to it'
        )
    no_retry = Fields({}, fields.where)
    retry = read(no_retry, Fields, fields.get("retry") or {}, f"{fields.where}: retry")
    return Node(
        name,
        read("", fields.text, "algorithmName"),
        inputs=tuple(
            read(None, parse_input, item, f"{fields.where}: input[{index}]")
            for index, item in enumerate(read([], fields.array, "input", []))
        ),
        operation=read(INDEXED, fields.one_of, "batchOperation", (INDEXED, CARTESIAN), INDEXED),
        ttl=read(0, fields.integer, "ttl", 0, least=0),
        retry=Retry(
            read(Retry.policy, retry.one_of, "policy", _POLICIES, Retry.policy),
            read(Retry.limit, retry.integer, "limit", Retry.limit, least=1),
        ),
        metrics=read({}, fields.object, "metrics", {"tensorboard": True}),
        extra_data=read({}, fields.object, "extraData", {}),
        # HKube's API uses both spellings.
        in_results=read(False, fields.flag, "includeInResult")
        or read(False, fields.flag, "includeInResults"),
    )


def _with_edges(fields: Fields, nodes: list[Node]) -> tuple[Node, ...]:
    """Make nodes wait as the pipeline's edges say."""
    after: dict[str, list[str]] = {}
    names = [node.name for node in nodes]
    for index, edge in enumerate(fields.array("edges", [])):
        ends = Fields(edge, f"{fields.where}: edges[{index}]")
        source, target = ends.text("source"), ends.text("target")
        if target not in names:
            alike = did_you_mean(near_miss(target, names))
            raise ends.error("target", f"'{target}' is not a node{alike}")
        after.setdefault(target, []).append(source)
    return tuple(replace(node, after=tuple(after.get(node.name, ()))) for node in nodes)


def parse_input(item: Any, where: str) -> Tree:
    """Return an item of a node's input with its references.

    Raises:
        DescriptorError: a reference in it is malformed, or it holds several batches.
    """
    try:
        tree = parse_tree(item)
    except ReferenceSyntaxError as error:
        raise DescriptorError(f"{where}: {error}") from error
    leaves = list(leaves_of(tree))
    if not leaves:
        return LiteralValue(item)
    batches = [leaf for leaf in leaves if leaf.is_batch]
    if len(batches) > 1:
        raise DescriptorError(
            f"{where}: it holds {len(batches)} batches, which HKube mixes up; "
            "put each into a separate item of 'input'"
        )
    return tree
