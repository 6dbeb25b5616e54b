"""Expands a node's input to the inputs of its tasks: values replace references and batches."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....errors import WrapperError
from ....text.suggestions import did_you_mean, near_miss
from .references import MAX_ITEMS, Leaf, LiteralValue, RawBatch, Reference, Tree, fill, leaves_of

MISSING: Any = object()
"""Returned by `value_at` if a path does not exist, which is different from null."""

INDEXED, CARTESIAN = "indexed", "cartesian"


class TooManyTasks(WrapperError):
    """A node's batch has more tasks than the limit."""

    code = "TooManyTasks"


@dataclass(frozen=True)
class TaskInputs:
    """The inputs of a node's tasks.

    Attributes:
        is_batch: whether the node's input holds a batch, even one with a single item.
        inputs: the list of inputs of each task; empty for an empty batch.
    """

    is_batch: bool
    inputs: list[list[Any]]


def value_at(value: Any, path: Sequence[str]) -> Any:
    """Return the value at a path of keys and indices in a JSON value, or MISSING."""
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


def suggestion_at(value: Any, path: Sequence[str]) -> str:
    """Return a question that suggests a key for the first part of a path that does not exist.

    It is empty if no key is alike.
    """
    at = value
    for part in path:
        inner = value_at(at, (part,))
        if inner is MISSING:
            keys = at if isinstance(at, Mapping) else ()
            return did_you_mean(near_miss(part, (key for key in keys if isinstance(key, str))))
        at = inner
    return ""


def expand(
    trees: Sequence[Tree], operation: str, value_of: Callable[[Reference], Any]
) -> TaskInputs:
    """Return the inputs of a node's tasks.

    Several batches are combined item by item (`indexed`; shorter ones are padded with null), or
    every item with every other (`cartesian`; the last batch varies fastest).

    Args:
        trees: the node's input; each item holds at most one batch.
        operation: `indexed` or `cartesian`.
        value_of: returns the value of a reference; for a batch the list of its items.

    Raises:
        TooManyTasks: there would be more than MAX_ITEMS tasks.
    """
    columns = {
        position: _items(batch, value_of)
        for position, tree in enumerate(trees)
        if (batch := batch_of(tree)) is not None
    }
    if not columns:
        return TaskInputs(False, [[fill(tree, _resolver(value_of)) for tree in trees]])
    rows = _rows(list(columns.values()), operation)
    inputs = [_row_inputs(trees, dict(zip(columns, row, strict=True)), value_of) for row in rows]
    return TaskInputs(True, inputs)


def batch_of(tree: Tree) -> Leaf | None:
    """Return the batch in an item of a node's input, or None without a batch."""
    return next((leaf for leaf in leaves_of(tree) if leaf.is_batch), None)


def _items(batch: Leaf, value_of: Callable[[Reference], Any]) -> list[Any]:
    if isinstance(batch, RawBatch):
        return list(batch.items)
    assert isinstance(batch, Reference), "only raw batches and references are batches"
    return list(value_of(batch))


def _rows(columns: list[list[Any]], operation: str) -> list[tuple[Any, ...]]:
    if operation == CARTESIAN:
        count = 1
        for column in columns:
            count *= len(column)
    else:
        count = max(map(len, columns))
    if count > MAX_ITEMS:
        raise TooManyTasks(
            f"the batch would have {count:,} tasks; the local limit is {MAX_ITEMS:,}"
        )
    if operation == CARTESIAN:
        return list(itertools.product(*columns))
    return list(itertools.zip_longest(*columns))


def _row_inputs(
    trees: Sequence[Tree], row: Mapping[int, Any], value_of: Callable[[Reference], Any]
) -> list[Any]:
    resolve = _resolver(value_of)

    def column(position: int) -> Callable[[Leaf], Any]:
        return lambda leaf: row[position] if leaf.is_batch else resolve(leaf)

    return [fill(tree, column(position)) for position, tree in enumerate(trees)]


def _resolver(value_of: Callable[[Reference], Any]) -> Callable[[Leaf], Any]:
    def resolve(leaf: Leaf) -> Any:
        if isinstance(leaf, LiteralValue):
            return leaf.value
        assert isinstance(leaf, Reference), "a raw batch is a column"
        return value_of(leaf)

    return resolve
