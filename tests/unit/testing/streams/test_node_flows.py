"""The pipeline around the node under test."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.testing.request.wrong_use import WrongUse
from wrapper.testing.streams.node_flows import NodeFlows


def test_parents_and_children_come_from_all_flows() -> None:
    flows = NodeFlows({"x": "a >> m >> b&c", "y": "d >> m | m >> e"}, "m", "y")
    assert (flows.parents, flows.children) == (["a", "d"], ["b", "c", "e"])
    job = flows.job_entries(None)
    assert job["stateType"] == "stateless"
    assert job["defaultFlow"] == "y"
    assert job["parsedFlow"]["y"] == [
        {"source": "d", "next": ["m"]},
        {"source": "m", "next": ["e"]},
    ]


def test_source_is_stateful() -> None:
    flows = NodeFlows("m >> b", "m", None)
    assert flows.job_entries(None)["stateType"] == "stateful"
    with pytest.raises(WrongUse, match="cannot be stateless"):
        flows.job_entries(True)


def test_message_carries_the_hops_that_are_before_it() -> None:
    flows = NodeFlows({"x": "s >> a >> m >> b >> c", "y": "s >> m >> c"}, "m", None)
    rest = [{"source": "m", "next": ["b"]}, {"source": "b", "next": ["c"]}]
    assert flows.way("a", None) == ("a", rest)
    assert flows.way(None, "x") == ("a", rest)
    assert flows.way("s", None) == ("s", [{"source": "m", "next": ["c"]}])


def test_cycle_keeps_the_way_back() -> None:
    flows = NodeFlows("a >> m >> a", "m", None)
    assert flows.way(None, None) == ("a", [{"source": "m", "next": ["a"]}])


@pytest.mark.parametrize(
    ("given", "node", "default", "text"),
    [
        ("a > m", "m", None, "the flow 'flow' is invalid: 'a>m' has no '>>'"),
        ({}, "m", None, "needs a flow"),
        ({"x": 3}, "m", None, "must be a text"),
        ("a >> main", "mian", None, "did you mean 'main'"),
        ("a >> b", "m", None, "pass nodeName= to say which node the algorithm is: a, b"),
        ({"red": "a >> m"}, "m", "rad", "there is no flow 'rad': did you mean 'red'"),
    ],
)
def test_invalid_flows_are_refused(given: Any, node: str, default: str | None, text: str) -> None:
    with pytest.raises(WrongUse, match=text):
        NodeFlows(given, node, default)


@pytest.mark.parametrize(
    ("origin", "flow", "text"),
    [
        ("bob", None, "'bob' sends nothing to 'm'.*origin= may be a or b"),
        (None, "x", "several nodes send to 'm': pass origin=, a or b"),
        ("a", "z", "there is no flow 'z'"),
        ("a", "y", "the flow 'y' has no 'a >> m'"),
    ],
)
def test_unclear_way_is_refused(origin: str | None, flow: str | None, text: str) -> None:
    flows = NodeFlows({"x": "a&b >> m", "y": "m >> c"}, "m", None)
    with pytest.raises(WrongUse, match=text):
        flows.way(origin, flow)


def test_flow_must_be_named_if_several_lead_to_the_node() -> None:
    flows = NodeFlows({"own": "m >> c", "x": "a >> m", "y": "a >> m >> c"}, "m", None)
    with pytest.raises(WrongUse, match="several flows lead to 'm': pass flow=, x or y"):
        flows.way("a", None)


def test_child_must_be_named_if_there_are_several() -> None:
    flows = NodeFlows("m >> b&c", "m", None)
    assert flows.child("c") == "c"
    with pytest.raises(WrongUse, match="node= may be b or c"):
        flows.child(None)
    with pytest.raises(WrongUse, match="'d' gets nothing from 'm'"):
        flows.child("d")
    with pytest.raises(WrongUse, match="'s' sends no messages"):
        NodeFlows("m >> s", "s", None).child(None)
    with pytest.raises(WrongUse, match="'m' gets no messages"):
        NodeFlows("m >> s", "m", None).way(None, None)
