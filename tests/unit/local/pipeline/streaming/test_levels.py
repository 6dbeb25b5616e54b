"""The order of a drain."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.pipeline.streaming.levels import levels


def test_a_node_comes_after_its_parents() -> None:
    parents = {"D": ["B", "C"], "B": ["A"], "C": ["A"], "A": [], "E": ["C", "A"]}
    assert levels(parents) == [["A"], ["B", "C"], ["D", "E"]]


def test_what_follows_a_cycle_does_not_come_first() -> None:
    assert levels({"C": ["B"], "B": ["A"], "A": ["B"]})[0] == ["B"]


def test_a_cycle_begins_with_its_first_node() -> None:
    assert levels({"S": [], "A": ["S", "B"], "B": ["A"], "C": ["B"]}) == [
        ["S"],
        ["A"],
        ["B"],
        ["C"],
    ]


nodes = st.sampled_from("ABCDEF")


@given(st.dictionaries(nodes, st.sets(nodes)))
def test_every_node_is_in_exactly_one_level(parents: dict[str, set[str]]) -> None:
    found = [name for level in levels(parents) for name in level]
    assert sorted(found) == sorted(parents)
