"""Descriptors of streaming pipelines: what is accepted, and the place of what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.local.pipeline.descriptor.fields import DescriptorError
from wrapper.local.pipeline.descriptor.stream import StreamPipeline
from wrapper.local.pipeline.descriptor.stream_parsing import parse_stream, with_stream_input

SOURCE = {"nodeName": "A", "algorithmName": "a", "stateType": "stateful"}
WORKER = {"nodeName": "B", "algorithmName": "b"}


def pipeline(*nodes: dict[str, Any], flows: Any = None, **fields: Any) -> dict[str, Any]:
    """A descriptor: A >> B, unless other things are given."""
    return {
        "name": "p",
        "kind": "stream",
        "nodes": list(nodes or (SOURCE, WORKER)),
        "streaming": {"flows": {"main": "A >> B"} if flows is None else flows},
        **fields,
    }


def parse(document: Any, **state_types: str) -> StreamPipeline:
    return parse_stream(document, "p.json", state_type_of=state_types.get)


def test_a_pipeline_has_nodes_and_flows() -> None:
    gateway = {"nodeName": "gw", "kind": "gateway", "spec": {"name": "door"}}
    worker = {**WORKER, "stateType": "stateless", "minStatelessCount": 2, "maxStatelessCount": 3}
    parsed = parse(
        pipeline(
            SOURCE,
            worker,
            gateway,
            flows={"main": "A >> B", "other": "gw >> B"},
            streaming={
                "flows": {"main": "A >> B", "other": "gw >> B"},
                "defaultFlow": "main",
            },
            options={"ttl": 60},
        )
    )
    first, second, third = parsed.nodes
    assert not first.is_stateless
    assert (second.is_stateless, second.least, second.most) == (True, 2, 3)
    assert (third.is_stateless, third.gateway) == (False, "door")
    assert parsed.edges == (("A", "B"), ("gw", "B"))
    assert parsed.parents_of("B") == ("A", "gw")
    assert parsed.children_of("A") == ("B",)
    assert (parsed.default_flow, parsed.ttl) == ("main", 60)
    assert parsed.entry_nodes == (first, third)


def test_the_only_flow_is_the_default_flow() -> None:
    assert parse(pipeline()).default_flow == "main"


def test_the_state_type_is_that_of_the_algorithm_unless_the_node_says_it() -> None:
    nodes = ({"nodeName": "A", "algorithmName": "a"}, WORKER)
    assert not parse(pipeline(*nodes), a="stateful").nodes[0].is_stateless
    assert parse(pipeline(SOURCE, {**WORKER, "stateType": "stateless"}), b="stateful").nodes[1]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (pipeline(flows={}), "p.json: streaming: flows: a streaming pipeline needs a flow"),
        (pipeline(streaming=None), "p.json: streaming: flows: a streaming pipeline needs a flow"),
        (pipeline(flows={"x": 5}), "p.json: streaming: flows: x: must be a string, not 5"),
        (pipeline(flows={"x": "A"}), "p.json: streaming: flows: x: 'A' has no '>>'"),
        (
            pipeline(flows={"x": "A >> B", "y": "A >> B"}),
            "p.json: streaming: defaultFlow: it is needed, because there are several flows",
        ),
        (
            pipeline({**SOURCE, "stateType": "stateless"}, WORKER),
            "p.json: nodes[0] 'A': stateType: a node that gets no messages must be stateful",
        ),
        (
            pipeline(SOURCE, {**WORKER, "input": ["@A"]}),
            "p.json: nodes[1] 'B': input[0]: '@A': the nodes of a streaming pipeline pass messages",
        ),
        (
            pipeline(SOURCE, {**WORKER, "kind": "output"}),
            "p.json: nodes[1] 'B': kind: a streaming pipeline cannot have nodes of kind 'output'",
        ),
        (
            pipeline(SOURCE, {**WORKER, "maxStatelessCount": 2}),
            "p.json: nodes[1] 'B': maxStatelessCount: only a node with",
        ),
        (
            pipeline({**SOURCE, "minStatelessCount": 2}, WORKER),
            "p.json: nodes[0] 'A': minStatelessCount: only a node with",
        ),
        (
            pipeline(
                SOURCE,
                {
                    **WORKER,
                    "stateType": "stateless",
                    "minStatelessCount": 3,
                    "maxStatelessCount": 2,
                },
            ),
            "p.json: nodes[1] 'B': minStatelessCount: 3 is more than maxStatelessCount, which is 2",
        ),
        (pipeline(SOURCE, SOURCE), "p.json: nodes[1]: there are two nodes 'A'"),
        (
            pipeline(SOURCE, {**WORKER, "stateType": "stateles"}),
            "stateType: must be stateful or stateless, not 'stateles': did you mean 'stateless'?",
        ),
        (
            pipeline(SOURCE, {**WORKER, "kind": "gateway", "stateType": "stateless"}),
            "p.json: nodes[1] 'B': stateType: a gateway is always stateful",
        ),
        (pipeline(name="a/b"), "p.json: name: 'a/b' may contain letters"),
        (pipeline(options={"ttl": 0}), "p.json: options: ttl: must be a whole number"),
    ],
)
def test_what_hkube_refuses_is_refused_with_its_place(document: Any, why: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        parse(document)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("document", "remark"),
    [
        (
            pipeline(streaming={"flows": {"main": "A >> B"}, "defaultFlow": "mian"}),
            "streaming.defaultFlow is 'mian', but there is no such flow",
        ),
        (pipeline(SOURCE, WORKER, {**WORKER, "nodeName": "C"}), "node 'C' is in no flow"),
    ],
)
def test_what_hkube_accepts_by_mistake_has_a_remark(document: Any, remark: str) -> None:
    assert [each for each in parse(document).remarks if remark in each]


def test_a_missing_flow_input_is_refused() -> None:
    parsed = parse(pipeline({**SOURCE, "input": ["@flowInput.rate"]}, WORKER))
    with pytest.raises(DescriptorError, match=r"p\.json: node 'A' uses '@flowInput\.rate'"):
        with_stream_input(parsed, {"rat": 1}, "p.json")
    assert with_stream_input(parsed, {"rate": 1}, "p.json").flow_input == {"rate": 1}
