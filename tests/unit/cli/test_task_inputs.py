"""--input and --flow-input become the input of each task."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.cli.json_values import UsageError
from wrapper.cli.task_inputs import TaskInput, task_inputs

FLOW: dict[str, Any] = {"a": {"b": [1, 2]}, "text": "x", "none": None, "empty": []}


def test_input_without_flow_input_is_unchanged() -> None:
    given = ["#[1,2]", "@node", {"a": "*@node"}, 5]
    assert task_inputs(given, None) == [TaskInput(given)]


@pytest.mark.parametrize(
    ("given", "tasks"),
    [
        (["@flowInput.a.b.1", {"x": ["@flowInput.text"]}], [TaskInput([2, {"x": ["x"]}])]),
        (["@flowInput"], [TaskInput([FLOW])]),
        (["@flowInput.none"], [TaskInput([None])]),
        ([], [TaskInput([])]),
        (["#[7,8]", 9], [TaskInput([7, 9], 1), TaskInput([8, 9], 2)]),
        (["#[1...3]"], [TaskInput([1], 1), TaskInput([2], 2), TaskInput([3], 3)]),
        ([{"n": "#@flowInput.a.b"}], [TaskInput([{"n": 1}], 1), TaskInput([{"n": 2}], 2)]),
    ],
)
def test_input_with_flow_input_is_read_as_hkube_does(
    given: list[Any], tasks: list[TaskInput]
) -> None:
    assert task_inputs(given, FLOW) == tasks


@pytest.mark.parametrize(
    ("given", "flow", "said"),
    [
        (["@flowInput.a"], None, "'@flowInput.a', but there is no --flow-input"),
        (["#@flowInput.a"], None, "'#@flowInput.a', but there is no --flow-input"),
        (["@flowInput.zzz"], FLOW, "'@flowInput.zzz', which is not in --flow-input"),
        (["#@flowInput.text"], FLOW, "'#@flowInput.text', which is not an array"),
        (["#@flowInput.empty"], FLOW, "an empty batch"),
        (["@green"], FLOW, "'@green', but a single algorithm can refer to @flowInput only"),
        (["#[1"], FLOW, "does not end with ']'"),
        (["#[1...999999999]"], FLOW, "would have 999,999,999 tasks"),
    ],
)
def test_unresolvable_reference_is_reported(
    given: list[Any], flow: dict[str, Any] | None, said: str
) -> None:
    with pytest.raises(UsageError, match="--input") as raised:
        task_inputs(given, flow)
    assert said in str(raised.value)
