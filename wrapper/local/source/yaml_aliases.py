"""Documents whose anchors make them larger than they look, as YAML can have them."""

from __future__ import annotations

from typing import Any

MAX_VALUES = 20_000_000
"""Values of a document once each alias is written out."""


def what_is_wrong(document: Any) -> str | None:
    """Return why a document cannot be taken as JSON: it holds itself, or is far too large."""
    sizes: dict[int, int] = {}
    try:
        count = _size(document, sizes)
    except _HoldsItself:
        return "an alias in it stands within its own anchor"
    except RecursionError:
        return "it is nested too deep"
    if count > MAX_VALUES:
        return f"its aliases come to more than {MAX_VALUES:,} values"
    return None


class _HoldsItself(Exception):
    pass


def _size(value: Any, sizes: dict[int, int]) -> int:
    """How many values there are; each object is counted once and remembered by its id."""
    if not isinstance(value, (dict, list)):
        return 1
    known = sizes.get(id(value))
    if known == 0:
        raise _HoldsItself
    if known is not None:
        return known
    sizes[id(value)] = 0
    inner = value.values() if isinstance(value, dict) else value
    sizes[id(value)] = count = 1 + sum(_size(item, sizes) for item in inner)
    return count
