"""Parses the references and batches in a node's input.

The syntax is HKube's:

- `@node` waits for a node and takes its result;
- `#@node` makes a task for each item of the result;
- `*@node` makes a task for each task of a batch, as soon as that has ended;
- `*#@node` makes a task for each item of each of those results;
- `flowInput` in place of a node refers to the pipeline's input;
- `#[1,2,3]` and `#[1...100]` are raw batches: their items are in the descriptor.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ....errors import WrapperError

FLOW_INPUT = "flowInput"
DATA_SOURCE = "dataSource"
RESERVED_NAMES = (FLOW_INPUT, DATA_SOURCE)
MAX_ITEMS = 100_000
"""Maximum number of tasks of a node, so that a mistyped range does not fill the memory."""
MAX_DEPTH = 100
"""How deep an input may be nested; a deeper one is a mistake or an attack."""


class Relation(enum.Enum):
    """How a node depends on what it refers to; the value is the prefix of the reference."""

    NODE = "@"
    BATCH = "#@"
    ANY = "*@"
    ANY_BATCH = "*#@"

    @property
    def is_any(self) -> bool:
        """Whether the other node's tasks are waited for one by one."""
        return self in (Relation.ANY, Relation.ANY_BATCH)

    @property
    def is_batch(self) -> bool:
        """Whether each item of the value makes a task."""
        return self in (Relation.BATCH, Relation.ANY_BATCH)


@dataclass(frozen=True)
class Reference:
    """A reference to a node's result, or to the flow input.

    Attributes:
        relation: how to wait for the value, and whether it is a batch.
        name: the name of the node, or `flowInput`.
        path: keys and indices within the value.
    """

    relation: Relation
    name: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.relation.value + self.place

    @property
    def place(self) -> str:
        """The reference without its prefix."""
        return ".".join((self.name, *self.path))

    @property
    def is_flow_input(self) -> bool:
        """Whether it refers to the pipeline's input."""
        return self.name == FLOW_INPUT

    @property
    def is_batch(self) -> bool:
        """Whether each item of the value makes a task."""
        return self.relation.is_batch


@dataclass(frozen=True)
class RawBatch:
    """A batch whose items are in the descriptor."""

    items: tuple[Any, ...]

    @property
    def is_batch(self) -> bool:
        """Always True; every Leaf has this property."""
        return True


@dataclass(frozen=True)
class LiteralValue:
    """A value that is used as it is, even if it looks like a reference."""

    value: Any

    @property
    def is_batch(self) -> bool:
        """Always False; every Leaf has this property."""
        return False


Leaf = Reference | RawBatch | LiteralValue
Tree = Any
"""JSON with a Leaf in place of each string that is a reference or a batch."""


class ReferenceSyntaxError(WrapperError):
    """A string starts like a reference or a batch, but is invalid."""

    code = "ReferenceSyntaxError"


_REFERENCE = re.compile(r"(\*#@|\*@|#@|@)(.*)", re.DOTALL)
_RANGE = re.compile(r"(-?\d{1,18})\.\.\.(-?\d{1,18})")


def parse_reference(text: str) -> Leaf | str:
    """Parse a string of an input: a reference, a batch, or just a string, which is returned.

    Raises:
        ReferenceSyntaxError: it starts like a reference or a batch, but is invalid.
    """
    if text.startswith("#["):
        return RawBatch(_parse_raw_batch(text))
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return text
    name, *path = match[2].split(".")
    if not name:
        raise ReferenceSyntaxError(f"'{text}' has no node name after '{match[1]}'")
    if not all(path):
        raise ReferenceSyntaxError(f"'{text}' has an empty part in its path")
    return Reference(Relation(match[1]), name, tuple(path))


def parse_tree(value: Any, depth: int = 0) -> Tree:
    """Parse every string of a JSON value, and put a Leaf in place of references and batches.

    Raises:
        ReferenceSyntaxError: a string starts like a reference or a batch, but is invalid.
    """
    if depth > MAX_DEPTH:
        raise ReferenceSyntaxError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        return parse_reference(value)
    if isinstance(value, list):
        return [parse_tree(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: parse_tree(item, depth + 1) for key, item in value.items()}
    return value


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """Yield every Leaf of a tree, in order."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from leaves_of(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from leaves_of(item)


def references_of(tree: Tree) -> Iterator[Reference]:
    """Return every Reference of a tree, in order."""
    return (leaf for leaf in leaves_of(tree) if isinstance(leaf, Reference))


def fill(tree: Tree, value_of: Callable[[Leaf], Any]) -> Any:
    """Return a tree with a value in place of each Leaf."""
    if isinstance(tree, Leaf):
        return value_of(tree)
    if isinstance(tree, list):
        return [fill(item, value_of) for item in tree]
    if isinstance(tree, dict):
        return {key: fill(item, value_of) for key, item in tree.items()}
    return tree


def _parse_raw_batch(text: str) -> tuple[Any, ...]:
    if not text.endswith("]"):
        raise ReferenceSyntaxError(f"'{_short(text)}' does not end with ']'")
    inner = text[1:]
    try:
        items = json.loads(inner)
    except (ValueError, RecursionError):  # not JSON: it has ranges, or words without quotes
        pieces = (piece.strip() for piece in inner[1:-1].split(","))
        items = [item for piece in pieces for item in _parse_piece(piece, text)]
    if len(items) > MAX_ITEMS:
        raise _too_many(text, len(items))
    return tuple(items)


def _parse_piece(piece: str, text: str) -> list[Any]:
    if "..." in piece:
        return _parse_range(piece, text)
    if not piece:
        raise ReferenceSyntaxError(f"'{_short(text)}' has an empty item")
    try:
        return [json.loads(piece)]
    except (ValueError, RecursionError):
        return [piece]


def _parse_range(piece: str, text: str) -> list[Any]:
    match = _RANGE.fullmatch("".join(piece.split()))
    if match is None:
        raise ReferenceSyntaxError(
            f"'{_short(text)}' has a bad range '{_short(piece)}': write it like 1...100"
        )
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise ReferenceSyntaxError(
            f"'{_short(text)}' has an empty range '{piece}': the end must not be below the start"
        )
    if last - first >= MAX_ITEMS:
        raise _too_many(text, last - first + 1)
    return list(range(first, last + 1))


def _too_many(text: str, count: int) -> ReferenceSyntaxError:
    return ReferenceSyntaxError(
        f"'{_short(text)}' would have {count:,} tasks; the local limit is {MAX_ITEMS:,}"
    )


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
