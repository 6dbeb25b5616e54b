"""Turns `--input` and `--flow-input` into the input of each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .json_values import UsageError

ORIGIN = "local"
"""The node that messages of the command line are from."""


@dataclass(frozen=True)
class TaskInput:
    """The input of one task.

    Attributes:
        items: the list that the algorithm reads from `args["input"]`.
        stream_input: a message for a stateless node, as it finds it in `args["streamInput"]`;
            None for an algorithm that gets no messages.
        batch_index: the task's place in its batch, from 1; 0 without a batch.
    """

    items: list[Any]
    batch_index: int = 0
    stream_input: Mapping[str, Any] | None = None


def with_messages(
    tasks: Sequence[TaskInput], messages: Sequence[Any] | None
) -> Sequence[TaskInput]:
    """Return a task for each message, as a stateless node of a streaming pipeline gets them.

    Args:
        tasks: the input of the node; of several, each gets all messages.
        messages: the messages; None: the tasks remain as they are.
    """
    if messages is None:
        return tasks
    return [
        replace(task, stream_input={"message": message, "origin": ORIGIN})
        for task in tasks
        for message in messages
    ]


def task_inputs(given: Sequence[Any], flow_input: Mapping[str, Any] | None) -> list[TaskInput]:
    """Return the tasks that an input describes.

    With a flow input, the input is read as HKube reads a node's input: `@flowInput.a` is replaced,
    and a batch such as `#[1,2]` or `#@flowInput.list` becomes one task per item. Without a flow
    input, nothing is replaced.

    Raises:
        UsageError: a reference leads nowhere.
    """
    if flow_input is None:
        for text in given:
            if isinstance(text, str) and text.lstrip("*#").startswith("@flowInput"):
                raise UsageError(f"--input refers to '{text}', but there is no --flow-input")
        return [TaskInput(list(given))]
    from ..local.pipeline.descriptor.inputs import INDEXED, MISSING, TooManyTasks, expand, value_at
    from ..local.pipeline.descriptor.references import (
        Reference,
        ReferenceSyntaxError,
        parse_tree,
        references_of,
    )

    def value_of(reference: Reference) -> Any:
        return value_at(flow_input, reference.path)

    try:
        trees = parse_tree(list(given))
        for reference in references_of(trees):
            if not reference.is_flow_input:
                raise UsageError(
                    f"--input refers to '{reference}', but a single algorithm can refer to "
                    "@flowInput only; try the pipeline: hkube-wrapper pipeline run"
                )
            value = value_of(reference)
            if value is MISSING:
                raise UsageError(f"--input refers to '{reference}', which is not in --flow-input")
            if reference.is_batch and not isinstance(value, list):
                raise UsageError(
                    f"--input makes a batch of '{reference}', which is not an array in --flow-input"
                )
        expansion = expand(trees, INDEXED, value_of)
    except (ReferenceSyntaxError, TooManyTasks) as error:
        raise UsageError(f"--input: {error}") from None
    if not expansion.is_batch:
        return [TaskInput(expansion.inputs[0])]
    if not expansion.inputs:
        raise UsageError("--input is an empty batch: HKube would skip the node")
    return [TaskInput(items, place) for place, items in enumerate(expansion.inputs, start=1)]
