"""The inputs of a node's tasks: its descriptor's input with values in place of references."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import WrapperError
from .references import MAX_ITEMS, Given, Leaf, RawBatch, Reference, Tree, filled, leaves_of

MISSING: Any = object()
"""What `value_at` returns where there is nothing, which is not the same as null."""

INDEXED, CARTESIAN = "indexed", "cartesian"


class TooManyTasks(WrapperError):
    """A node's batch is larger than this machine should be asked for."""

    code = "TooManyTasks"


@dataclass(frozen=True)
class TaskInputs:
    """The inputs that a node's input comes to.

    Attributes:
        is_batch: False if there is one task by the nature of the node, not of its data.
        inputs: for each task its list of inputs; none for an empty batch.
    """

    is_batch: bool
    inputs: list[list[Any]]


def value_at(value: Any, path: Sequence[str]) -> Any:
    """Return what is at a path of keys and indices in a JSON value, or MISSING."""
    for part in path:
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit():
            index = int(part) if len(part) < 10 else len(value)
            if index >= len(value):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value


def expand(
    trees: Sequence[Tree], operation: str, value_of: Callable[[Reference], Any]
) -> TaskInputs:
    """Return the inputs of a node's tasks.

    Several batches go side by side (`indexed`, the shorter ones filled up with null), or each
    item of one with each item of the others (`cartesian`, the last one going fastest).

    Args:
        trees: the node's input; each item holds one batch at most.
        operation: `indexed` or `cartesian`.
        value_of: the value of a reference; for a batch the list of its items.

    Raises:
        TooManyTasks: there would be more than MAX_ITEMS of them.
    """
    columns = {
        position: _items(batch, value_of)
        for position, tree in enumerate(trees)
        if (batch := batch_of(tree)) is not None
    }
    if not columns:
        return TaskInputs(False, [[filled(tree, _plain(value_of)) for tree in trees]])
    rows = _rows(list(columns.values()), operation)
    inputs = [_row_inputs(trees, dict(zip(columns, row, strict=True)), value_of) for row in rows]
    return TaskInputs(True, inputs)


def batch_of(tree: Tree) -> Leaf | None:
    """Return the batch that an item of a node's input holds, if it holds one."""
    return next((leaf for leaf in leaves_of(tree) if leaf.is_batch), None)


def _items(batch: Leaf, value_of: Callable[[Reference], Any]) -> list[Any]:
    if isinstance(batch, RawBatch):
        return list(batch.items)
    assert isinstance(batch, Reference), "nothing else is a batch"
    return list(value_of(batch))


def _rows(columns: list[list[Any]], operation: str) -> list[tuple[Any, ...]]:
    if operation == CARTESIAN:
        count = 1
        for column in columns:
            count *= len(column)
    else:
        count = max(map(len, columns))
    if count > MAX_ITEMS:
        raise TooManyTasks(f"it would be {count:,} tasks; here a batch has {MAX_ITEMS:,} at most")
    if operation == CARTESIAN:
        return list(itertools.product(*columns))
    return list(itertools.zip_longest(*columns))


def _row_inputs(
    trees: Sequence[Tree], row: Mapping[int, Any], value_of: Callable[[Reference], Any]
) -> list[Any]:
    plain = _plain(value_of)

    def column(position: int) -> Callable[[Leaf], Any]:
        return lambda leaf: row[position] if leaf.is_batch else plain(leaf)

    return [filled(tree, column(position)) for position, tree in enumerate(trees)]


def _plain(value_of: Callable[[Reference], Any]) -> Callable[[Leaf], Any]:
    def plain(leaf: Leaf) -> Any:
        if isinstance(leaf, Given):
            return leaf.value
        assert isinstance(leaf, Reference), "a raw batch is a column"
        return value_of(leaf)

    return plain
