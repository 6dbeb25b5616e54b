"""What a node's input may hold besides plain values: references to other values, and batches.

The signs are HKube's: `@node` waits for a node, `#@node` makes a task of each item of its result,
`*@node` a task of each task of a batch as soon as that has ended, `*#@node` a task of each item of
the result of each. `flowInput` may stand for a node. `#[1,2,3]` and `#[1...100]` are batches by
themselves.
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
"""Tasks of one node: a mistyped range must not fill this machine's memory."""
MAX_DEPTH = 100
"""How deep an input may be nested; what is deeper is a mistake, or meant to do harm."""


class Relation(enum.Enum):
    """How a node depends on what it refers to; the value is the sign."""

    NODE = "@"
    BATCH = "#@"
    ANY = "*@"
    ANY_BATCH = "*#@"

    @property
    def is_any(self) -> bool:
        """Whether each task of the other node counts by itself, as soon as it has ended."""
        return self in (Relation.ANY, Relation.ANY_BATCH)

    @property
    def is_batch(self) -> bool:
        """Whether a task is made of each item."""
        return self in (Relation.BATCH, Relation.ANY_BATCH)


@dataclass(frozen=True)
class Reference:
    """A value to be taken from a node's result, or from the flow input.

    Attributes:
        relation: how it waits, and whether it is a batch.
        name: of the node, or `flowInput`.
        path: keys and indices within the value.
    """

    relation: Relation
    name: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.relation.value + self.place

    @property
    def place(self) -> str:
        """The reference without its sign."""
        return ".".join((self.name, *self.path))

    @property
    def is_flow_input(self) -> bool:
        """Whether it is the pipeline's own input, which is there from the beginning."""
        return self.name == FLOW_INPUT

    @property
    def is_batch(self) -> bool:
        """Whether a task is made of each item."""
        return self.relation.is_batch


@dataclass(frozen=True)
class RawBatch:
    """A batch whose items are written in the descriptor."""

    items: tuple[Any, ...]

    @property
    def is_batch(self) -> bool:
        """Always: it is there to have the shape of a Reference."""
        return True


@dataclass(frozen=True)
class Given:
    """A value with nothing in it to be replaced, however it looks: it is not looked into again."""

    value: Any

    @property
    def is_batch(self) -> bool:
        """Never: it is there to have the shape of a Reference."""
        return False


Leaf = Reference | RawBatch | Given
Tree = Any
"""JSON with a Leaf in place of each text that is one."""


class ReferenceSyntaxError(WrapperError):
    """A text begins as a reference or a batch and is none."""

    code = "ReferenceSyntaxError"


_REFERENCE = re.compile(r"(\*#@|\*@|#@|@)(.*)", re.DOTALL)
_RANGE = re.compile(r"(-?\d{1,18})\.\.\.(-?\d{1,18})")


def parse_text(text: str) -> Leaf | str:
    """Return what a text in an input stands for; itself, if it is just a text.

    Raises:
        ReferenceSyntaxError: it begins as a reference or a batch and is none.
    """
    if text.startswith("#["):
        return RawBatch(_parse_items(text))
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return text
    name, *path = match[2].split(".")
    if not name:
        raise ReferenceSyntaxError(f"'{text}' names no node after '{match[1]}'")
    if not all(path):
        raise ReferenceSyntaxError(f"'{text}' has an empty part in its path")
    return Reference(Relation(match[1]), name, tuple(path))


def parse_tree(value: Any, depth: int = 0) -> Tree:
    """Return a JSON value with a Leaf in place of each text that is one.

    Raises:
        ReferenceSyntaxError: a text begins as a reference or a batch and is none.
    """
    if depth > MAX_DEPTH:
        raise ReferenceSyntaxError(f"it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, str):
        return parse_text(value)
    if isinstance(value, list):
        return [parse_tree(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: parse_tree(item, depth + 1) for key, item in value.items()}
    return value


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """Every Leaf of a tree, in the order they are written."""
    if isinstance(tree, Leaf):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from leaves_of(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from leaves_of(item)


def references_of(tree: Tree) -> Iterator[Reference]:
    """Every Reference of a tree, in the order they are written."""
    return (leaf for leaf in leaves_of(tree) if isinstance(leaf, Reference))


def filled(tree: Tree, value_of: Callable[[Leaf], Any]) -> Any:
    """Return a tree with a value in place of each Leaf."""
    if isinstance(tree, Leaf):
        return value_of(tree)
    if isinstance(tree, list):
        return [filled(item, value_of) for item in tree]
    if isinstance(tree, dict):
        return {key: filled(item, value_of) for key, item in tree.items()}
    return tree


def _parse_items(text: str) -> tuple[Any, ...]:
    if not text.endswith("]"):
        raise ReferenceSyntaxError(f"'{_short(text)}' has no ']' at its end")
    inner = text[1:]
    try:
        items = json.loads(inner)
    except (ValueError, RecursionError):  # ranges and words without quotes are no JSON
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
            f"'{_short(text)}' has a bad range '{_short(piece)}': it must be like 1...100"
        )
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise ReferenceSyntaxError(
            f"'{_short(text)}' has an empty range '{piece}': it must go upwards"
        )
    if last - first >= MAX_ITEMS:
        raise _too_many(text, last - first + 1)
    return list(range(first, last + 1))


def _too_many(text: str, count: int) -> ReferenceSyntaxError:
    return ReferenceSyntaxError(
        f"'{_short(text)}' would be {count:,} tasks; here a batch has {MAX_ITEMS:,} at most"
    )


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
