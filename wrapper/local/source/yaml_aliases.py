"""Refuses YAML documents whose aliases expand without end or beyond a limit."""

from __future__ import annotations

from typing import Any

MAX_VALUES = 20_000_000
"""The limit of values in a document when every alias is expanded."""


def alias_problem(document: Any) -> str | None:
    """Say why a document cannot become JSON: it contains itself or is too large; else None."""
    sizes: dict[int, int] = {}
    try:
        count = _size(document, sizes)
    except _ContainsItself:
        return "an alias refers to the value that contains it"
    except RecursionError:
        return "it is nested too deep"
    if count > MAX_VALUES:
        return f"its aliases expand to more than {MAX_VALUES:,} values"
    return None


class _ContainsItself(Exception):
    pass


def _size(value: Any, sizes: dict[int, int]) -> int:
    """Count the values; each object is counted once and remembered by its id."""
    if not isinstance(value, (dict, list)):
        return 1
    known = sizes.get(id(value))
    if known == 0:
        raise _ContainsItself
    if known is not None:
        return known
    sizes[id(value)] = 0
    inner = value.values() if isinstance(value, dict) else value
    sizes[id(value)] = count = 1 + sum(_size(item, sizes) for item in inner)
    return count
