"""The grammar of flows: what HKube accepts, and what it refuses."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.pipeline.descriptor.flows import FlowSyntaxError, edges_of, parse_flow

NODES = ("A", "B", "C", "D")


@pytest.mark.parametrize(
    ("text", "hops"),
    [
        ("A >> B", [{"source": "A", "next": ["B"]}]),
        (" A>>\tB \n>> C", [{"source": "A", "next": ["B"]}, {"source": "B", "next": ["C"]}]),
        (
            "A >> B&C >> D",
            [
                {"source": "A", "next": ["B", "C"]},
                {"source": "B", "next": ["D"]},
                {"source": "C", "next": ["D"]},
            ],
        ),
        ("A >> B | A >> C", [{"source": "A", "next": ["B", "C"]}]),
        ("A >> B >> A", [{"source": "A", "next": ["B"]}, {"source": "B", "next": ["A"]}]),
    ],
)
def test_a_flow_becomes_hops(text: str, hops: list[dict[str, object]]) -> None:
    assert parse_flow(text, NODES) == hops


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is an empty chain; write it like 'A >> B | B >> C'"),
        ("A", "'A' has no '>>'; write it like 'A >> B'"),
        ("A >> B |", "there is an empty chain"),
        ("A >>", "a node's name is missing in 'A>>'"),
        ("A >> B&", "a node's name is missing in 'A>>B&'"),
        ("A >> E", "'E' is not a node of the pipeline"),
        ("A >> A", "'A' cannot send messages to itself"),
        ("A >> B | A >> B", "'A >> B' is in the flow twice"),
    ],
)
def test_an_invalid_flow_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(FlowSyntaxError) as caught:
        parse_flow(text, NODES)
    assert why in str(caught.value)


def test_a_misspelt_node_has_a_suggestion() -> None:
    with pytest.raises(FlowSyntaxError, match="did you mean 'sorter'"):
        parse_flow("A >> sortr", ["A", "sorter"])


@given(st.text(alphabet="AB>&| \n", max_size=30) | st.text(max_size=30))
def test_any_text_is_a_flow_or_is_refused(text: str) -> None:
    try:
        hops = parse_flow(text, NODES)
    except FlowSyntaxError:
        return
    edges = list(edges_of(hops))
    assert edges
    assert len(edges) == len(set(edges))
    sources = [hop["source"] for hop in hops]
    assert len(sources) == len(set(sources))


sets = st.lists(st.sampled_from(NODES), min_size=1, max_size=3, unique=True)
spaces = st.sampled_from(["", " ", "\t", "  "])


@given(st.lists(st.lists(sets, min_size=2, max_size=3), min_size=1, max_size=3), spaces)
def test_every_node_of_a_set_sends_to_every_node_of_the_next(
    chains: list[list[list[str]]], space: str
) -> None:
    expected = [
        edge
        for chain in chains
        for first, second in itertools.pairwise(chain)
        for edge in itertools.product(first, second)
    ]
    text = "|".join(
        f"{space}>>{space}".join(f"{space}&{space}".join(names) for names in chain)
        for chain in chains
    )
    if len(expected) != len(set(expected)) or any(first == second for first, second in expected):
        with pytest.raises(FlowSyntaxError):
            parse_flow(text, NODES)
    else:
        assert sorted(edges_of(parse_flow(text, NODES))) == sorted(expected)
