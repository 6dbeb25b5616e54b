"""Finding keys of a dict that become the same text, so that one value replaces another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .non_finite import MAX_VISITED
from .value_path import key_repr, path_text
from .values import key_text


class KeyClash(NamedTuple):
    """Two keys that become the same text, and the path of their dict.

    Attributes:
        first: the key whose value is lost, as Python writes it.
        second: the key whose value is sent.
        text: what both become.
        path: of the dict, such as ``result.x[3]``.
    """

    first: str
    second: str
    text: str
    path: str

    def __str__(self) -> str:
        return (
            f"the keys {self.first} and {self.second} in {self.path} both become {self.text!r}, so "
            "only one of their values is sent; give them names that differ as text"
        )


def find_key_clash(result: Any, subject: str = "result") -> KeyClash | None:
    """Find two keys that become the same text, among the first values of a result.

    Args:
        result: the value that user code returned.
        subject: the user's name for it.
    """
    stack: list[tuple[list[Any], Any]] = [([subject], result)]
    visited = 0
    while stack and visited < MAX_VISITED:
        keys, container = stack.pop()
        if isinstance(container, dict):
            clash = _clash(container, keys)
            if clash is not None:
                return clash
        for key, value in _items(container):
            visited += 1
            if isinstance(value, (dict, list, tuple)):
                stack.append(([*keys, key], value))
    return None


def _items(container: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(container, dict):
        return iter(list(container.items()))
    return iter(enumerate(container)) if isinstance(container, (list, tuple)) else iter(())


def _clash(container: dict[Any, Any], keys: list[Any]) -> KeyClash | None:
    kinds = set(map(type, container))
    if kinds <= {str} or kinds <= {int}:
        return None
    seen: dict[str, Any] = {}
    for key in list(container):
        text = key_text(key)
        if text in seen:
            return KeyClash(key_repr(seen[text]), key_repr(key), text, path_text(keys))
        seen[text] = key
    return None
