"""How descriptors are parsed, and how each mistake is reported."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrapper.local.pipeline.descriptor.descriptor import Retry
from wrapper.local.pipeline.descriptor.fields import DescriptorError
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline, with_flow_input
from wrapper.local.pipeline.descriptor.references import Reference, Relation
from wrapper.local.pipeline.descriptor.remarks import descriptor_remarks


def node(name: str = "green", *inputs: Any, **fields: Any) -> dict[str, Any]:
    return {"nodeName": name, "algorithmName": f"{name}-alg", "input": list(inputs), **fields}


def pipeline(*nodes: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "simple", "nodes": list(nodes) or [node()], **fields}


def rejected(document: Any) -> str:
    with pytest.raises(DescriptorError) as caught:
        parse_pipeline(document, "p.json")
    return str(caught.value)


def test_defaults_are_those_of_hkube() -> None:
    found = parse_pipeline(
        {"name": "simple", "nodes": [{"nodeName": "a", "algorithmName": "x"}]}, "p.json"
    )
    assert (found.ttl, found.tolerance, found.priority, found.flow_input) == (3600, 80, 3, {})
    (only,) = found.nodes
    assert (only.inputs, only.operation, only.ttl, only.retry) == (
        (),
        "indexed",
        0,
        Retry("OnCrash", 3),
    )
    assert not only.in_results


def test_every_supported_field_is_parsed() -> None:
    found = parse_pipeline(
        pipeline(
            node("a", "@flowInput.x"),
            node(
                "b",
                {"k": ["#@a.y", "*@flowInput"]},
                batchOperation="cartesian",
                retry={"policy": "Always", "limit": 5},
                ttl=7,
                includeInResult=True,
                extraData={"code": []},
                kind="algorithm",
            ),
            flowInput={"x": 1},
            options={"ttl": 30, "batchTolerance": 0, "progressVerbosityLevel": "info"},
            priority=5,
            kind="batch",
            webhooks={},
        ),
        "p.json",
    )
    assert (found.ttl, found.tolerance, found.priority, found.flow_input) == (30, 0, 5, {"x": 1})
    a, b = found.nodes
    assert (a.parents, b.parents) == ((), ("a",))
    assert b.references == (Reference(Relation.BATCH, "a", ("y",)),)
    assert (b.operation, b.ttl, b.retry, b.in_results) == (
        "cartesian",
        7,
        Retry("Always", 5),
        True,
    )
    assert found.children_of("a") == (b,)


def test_edge_makes_its_target_wait() -> None:
    found = parse_pipeline(
        pipeline(node("a"), node("b", "*@c"), node("c"), edges=[{"source": "a", "target": "b"}]),
        "p.json",
    )
    (_, b, _) = found.nodes
    assert (b.parents, b.any_parents, b.whole_parents) == (("c", "a"), ("c",), ("a",))
    assert found.children_of("a") == (b,)


def test_unsupported_fields_without_effect_are_ignored() -> None:
    document = pipeline(
        node(spec={}, stateType="stateless", somebodysOwn=1), modified=1, version="x", tags=[]
    )
    assert parse_pipeline(document, "p.json").name == "simple"


def test_given_name_is_used_if_the_document_has_none() -> None:
    document = pipeline()
    del document["name"]
    assert parse_pipeline(document, "p.json", name="stored").name == "stored"
    assert rejected(document) == "p.json: 'name' is missing"


@pytest.mark.parametrize(
    "document, problem",
    [
        (5, "p.json: must be an object, not a number"),
        ([], "p.json: must be an object, not an array"),
        (None, "p.json: must be an object, not null"),
        ({"name": "p"}, "p.json: 'nodes' is missing"),
        (pipeline() | {"nodes": []}, "p.json: nodes: a pipeline needs at least one node"),
        (pipeline() | {"nodes": {}}, "p.json: nodes: must be an array, not an object"),
        (pipeline(name=""), "p.json: name: must be a string, not an empty string"),
        (pipeline(name="a b"), "p.json: name: 'a b' may contain letters, digits,"),
        (pipeline(kind="stream"), "p.json: kind: an algorithm cannot start a streaming pipeline"),
        (
            pipeline(streaming={"flows": {}}),
            'p.json: streaming: flows need a streaming pipeline; add "kind": "stream"',
        ),
        (pipeline(kind="bach"), "kind: must be batch or stream, not 'bach': did you mean 'batch'?"),
        (pipeline(options=3), "p.json: options: must be an object, not a number"),
        (pipeline(options={"ttl": 0}), "options: ttl: must be a whole number of 1 or more, not 0"),
        (pipeline(options={"ttl": True}), "options: ttl: must be a whole number"),
        (
            pipeline(options={"batchTolerance": 101}),
            "p.json: options: batchTolerance: must be a whole number from 0 to 100, not 101",
        ),
        (pipeline(flowInput=[1]), "p.json: flowInput: must be an object, not an array"),
        (pipeline(edges=[{"source": "a"}]), "p.json: edges[0]: 'target' is missing"),
        (pipeline(edges=[5]), "p.json: edges[0]: must be an object, not a number"),
        (
            pipeline(edges=[{"source": "green", "target": "grean"}]),
            "p.json: edges[0]: target: 'grean' is not a node: did you mean 'green'?",
        ),
        (
            pipeline(edges=[{"source": "grean", "target": "green"}]),
            "p.json: edges: source 'grean' of 'green' is not a node: did you mean 'green'?",
        ),
        (
            pipeline(node("a"), node("b", "@a"), edges=[{"source": "b", "target": "a"}]),
            "the nodes wait for each other in a cycle",
        ),
        (pipeline(flowinput={}), "p.json: flowinput: unknown field: did you mean 'flowI"),
        (
            pipeline(options={"batchTolerence": 1}),
            "p.json: options: batchTolerence: unknown field: did you mean 'batchToleranc",
        ),
        (
            pipeline({"nodeName": "a", "algorithmName": "b", "inputs": []}),
            "p.json: nodes[0] 'a': inputs: unknown field: did you mean 'input'?",
        ),
        (pipeline("green"), "p.json: nodes[0]: must be an object, not a string"),
        (
            pipeline({"nodename": "green"}),
            "p.json: nodes[0]: 'nodeName' is missing; found 'nodename' instead",
        ),
        (pipeline({"nodeName": "green"}), "p.json: nodes[0] 'green': 'algorithmName' is missing"),
        (
            pipeline(node("flowInput")),
            "nodeName: 'flowInput' is reserved by HKube; choose another name",
        ),
        (pipeline(node(kind="gateway")), "kind: nodes of kind 'gateway' run in HKube only"),
        (pipeline(node(kind=[])), "kind: must be a string, not an array"),
        (
            pipeline(node(stateType="stateful")),
            "stateType: stateful nodes need a streaming pipeline",
        ),
        (pipeline(node(input="x")), "nodes[0] 'green': input: must be an array, not 'x'"),
        (
            pipeline(node(batchOperation="index")),
            "batchOperation: must be indexed or cartesian, not 'index': did you mean 'indexed'?",
        ),
        (
            pipeline(node(retry={"policy": "Sometimes"})),
            "nodes[0] 'green': retry: policy: must be Never, OnError, OnCrash or Always",
        ),
        (pipeline(node(retry={"limit": 0})), "retry: limit: must be a whole number of 1 or more"),
        (
            pipeline(node(includeInResult="yes")),
            "includeInResult: must be true or false, not 'yes'",
        ),
        (
            pipeline(node("yellow"), node("black", 1, "@yelow")),
            (
                "p.json: nodes[1] 'black': input[1]: '@yelow' refers to an unknown node: "
                "did you mean 'yellow'?"
            ),
        ),
        (
            pipeline(node("a", "@flowinput.x")),
            "refers to an unknown node: did you mean 'flowInput'?",
        ),
        (pipeline(node("a", "@zzz")), "input[0]: '@zzz' refers to an unknown node"),
        (pipeline(node("a", "@dataSource.x")), "data sources are available in HKube only"),
        (pipeline(node("a", {"k": "#[2...1]"})), "nodes[0] 'a': input[0]: '#[2...1]' has an empty"),
        (pipeline(node("a", ["#[1]", "#[2]"])), "input[0]: it holds 2 batches, which HKube mixes"),
        (
            pipeline(node("a"), node("b"), node("a")),
            "p.json: nodes[2]: 'a' is already the name of nodes[0]",
        ),
        (
            pipeline(node("a", "@c"), node("b", "#@a"), node("c", "*@b"), node("d", "@a")),
            "p.json: nodes: the nodes wait for each other in a cycle: a -> b -> c -> a",
        ),
        (pipeline(node("a", "@a")), "the nodes wait for each other in a cycle: a -> a"),
    ],
)
def test_mistake_is_reported(document: Any, problem: str) -> None:
    assert problem in rejected(document)


@pytest.mark.parametrize(
    "fields, problem",
    [
        ({"input": "\n"}, r"input: must be an array, not '\n'"),
        ({"nodeName": "\n", "kind": []}, r"p.json: nodes[0] '\n': kind: must be a string"),
        ({"input": ["@\n"]}, r"'@\n' refers to an unknown node"),
    ],
)
def test_line_break_in_a_descriptor_is_escaped(fields: dict[str, Any], problem: str) -> None:
    message = rejected(pipeline(node() | fields))
    assert problem in message
    assert "\n" not in message


def test_long_pipeline_is_parsed() -> None:
    nodes = [node(f"n{i}", *([f"@n{i - 1}"] if i else [])) for i in range(3000)]
    assert len(parse_pipeline(pipeline(*reversed(nodes)), "p.json").nodes) == 3000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["kind", "name", "nodes", "flowInput", "options", "priority", "streaming", "edges"]
)
NODE_FIELDS = st.sampled_from(
    [
        "nodeName",
        "algorithmName",
        "input",
        "kind",
        "retry",
        "ttl",
        "metrics",
        "batchOperation",
        "extraData",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    fields=st.dictionaries(FIELDS, JSON, max_size=3),
    node_fields=st.dictionaries(NODE_FIELDS, JSON, max_size=3),
)
def test_any_json_is_parsed_or_rejected_with_its_place(
    fields: dict[str, Any], node_fields: dict[str, Any]
) -> None:
    try:
        parse_pipeline(pipeline(node() | node_fields) | fields, "p.json")
    except DescriptorError as error:
        message = str(error)
    else:
        return
    assert all(line.startswith("p.json: ") for line in message.split("\n"))


def test_all_mistakes_are_reported_at_once() -> None:
    document = pipeline(
        node("a", "@gone", ttl="soon", retry={"limit": 0, "policy": "Sometimes"}),
        node("b", "#[1", batchOperation="x"),
        options={"ttl": -1},
        priority=9,
    )
    assert [line.removeprefix("p.json: ") for line in rejected(document).split("\n")] == [
        "nodes[0] 'a': ttl: must be a whole number of 0 or more, not 'soon'",
        "nodes[0] 'a': retry: policy: must be Never, OnError, OnCrash or Always, not 'Sometimes'",
        "nodes[0] 'a': retry: limit: must be a whole number of 1 or more, not 0",
        "nodes[1] 'b': input[0]: '#[1' does not end with ']'",
        "nodes[1] 'b': batchOperation: must be indexed or cartesian, not 'x'",
        "options: ttl: must be a whole number of 1 or more, not -1",
        "priority: must be a whole number from 1 to 5, not 9",
        "nodes[0] 'a': input[0]: '@gone' refers to an unknown node",
    ]


def test_numbers_and_booleans_may_be_text_as_in_hkube() -> None:
    found = parse_pipeline(
        pipeline(
            node("a", ttl="7", retry={"limit": "2"}, includeInResult="true"),
            options={"ttl": "3600", "batchTolerance": " 60 "},
            priority="4",
        ),
        "p.json",
    )
    assert (found.ttl, found.tolerance, found.priority) == (3600, 60, 4)
    (only,) = found.nodes
    assert (only.ttl, only.retry.limit, only.in_results) == (7, 2, True)


@pytest.mark.parametrize(
    ("item", "count"), [("#[1..10]", 1), ("#[-1 .. 3]", 1), ("#[1...10]", 0), ("#[1.5,2]", 0)]
)
def test_two_dots_get_a_remark(item: str, count: int) -> None:
    remarks = list(descriptor_remarks(parse_pipeline(pipeline(node("a", item)), "p.json")))
    assert len(remarks) == count
    assert not remarks or "write three dots: #[" in remarks[0]


@pytest.mark.parametrize(
    "flow_input, problem",
    [
        ({"x": [1]}, None),
        ({"x": []}, None),
        ({}, "p.json: node 'a' uses '#@flowInput.x', which the flow input does not have"),
        ({"X": 1}, "does not have: did you mean 'X'?"),
        ({"x": {"y": 1}}, "makes a batch of '#@flowInput.x', which must be an array, but the flow"),
        ({"x": None}, "but the flow input has null"),
        ([1], "p.json: flowInput: must be an object, not an array"),
    ],
)
def test_flow_input_must_have_what_references_need(flow_input: Any, problem: str | None) -> None:
    parsed = parse_pipeline(pipeline(node("a", "#@flowInput.x")), "p.json")
    if problem is None:
        assert with_flow_input(parsed, flow_input, "p.json").flow_input == flow_input
    else:
        with pytest.raises(DescriptorError) as caught:
            with_flow_input(parsed, flow_input, "p.json")
        assert problem in str(caught.value)


def test_given_flow_input_replaces_the_pipelines_own() -> None:
    parsed = parse_pipeline(pipeline(flowInput={"x": 1}), "p.json")
    assert with_flow_input(parsed, None, "p.json").flow_input == {"x": 1}
    assert with_flow_input(parsed, {"x": 2}, "p.json").flow_input == {"x": 2}
