"""How a node's input expands to the inputs of its tasks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapper.local.pipeline.descriptor.inputs import (
    CARTESIAN,
    INDEXED,
    MISSING,
    TaskInputs,
    TooManyTasks,
    expand,
    value_at,
)
from wrapper.local.pipeline.descriptor.references import parse_tree

VALUES = {"green": {"a": [1, 2]}, "list": ["x", "y"], "empty": []}


def inputs(*items: Any, operation: str = INDEXED) -> TaskInputs:
    trees = [parse_tree(item) for item in items]
    return expand(trees, operation, lambda ref: value_at(VALUES[ref.name], ref.path))


def test_input_without_a_batch_makes_one_task() -> None:
    assert inputs(1, "@green.a", {"k": ["@list"]}) == TaskInputs(
        False, [[1, [1, 2], {"k": [["x", "y"]]}]]
    )
    assert inputs() == TaskInputs(False, [[]])


def test_batch_makes_a_task_for_each_item() -> None:
    assert inputs(7, {"k": ["#@list", "@green.a.1"]}) == TaskInputs(
        True, [[7, {"k": ["x", 2]}], [7, {"k": ["y", 2]}]]
    )
    assert inputs("#[1...3]").inputs == [[1], [2], [3]]


def test_empty_batch_makes_no_task() -> None:
    assert inputs("@green", "#@empty") == TaskInputs(True, [])


def test_indexed_batches_are_padded_with_null() -> None:
    assert inputs("#@list", "#[1,2,3]").inputs == [["x", 1], ["y", 2], [None, 3]]


def test_cartesian_batches_combine_every_item() -> None:
    found = inputs("#@list", 0, "#[1,2]", operation=CARTESIAN)
    assert found.inputs == [["x", 0, 1], ["x", 0, 2], ["y", 0, 1], ["y", 0, 2]]
    assert inputs("#@list", "#@empty", operation=CARTESIAN).inputs == []


def test_too_many_tasks_are_rejected_before_they_are_made() -> None:
    with pytest.raises(TooManyTasks, match="10,000,000,000 tasks"):
        inputs("#[1...100000]", "#[1...100000]", operation=CARTESIAN)


@settings(deadline=None)
@given(first=st.lists(st.integers(), max_size=6), second=st.lists(st.integers(), max_size=6))
def test_number_of_tasks_follows_from_the_operation(first: list[int], second: list[int]) -> None:
    trees = [parse_tree(f"#{first}"), parse_tree(f"#{second}")]
    for operation, count in (
        (INDEXED, max(len(first), len(second))),
        (CARTESIAN, len(first) * len(second)),
    ):
        assert len(expand(trees, operation, lambda ref: None).inputs) == count


@pytest.mark.parametrize(
    "path, found",
    [
        ("", {"a": [{"b": 0}, None], "1": "one"}),
        ("a.0.b", 0),
        ("a.1", None),
        ("1", "one"),
        ("a.2", MISSING),
        ("a.-1", MISSING),
        ("a.x", MISSING),
        ("a.²", MISSING),
        ("a.99999999999999999999", MISSING),
        ("a.0.b.c", MISSING),
        ("b", MISSING),
        ("a.1.c", MISSING),
    ],
)
def test_value_at_a_path(path: str, found: object) -> None:
    value = {"a": [{"b": 0}, None], "1": "one"}
    assert value_at(value, path.split(".") if path else ()) == found
