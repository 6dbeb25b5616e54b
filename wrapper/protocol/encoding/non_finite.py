"""Finding what JSON turns into null: NaN and the infinities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any, NamedTuple

from .tree import path_text

MAX_VISITED = 200_000
"""Values looked at; a warning is not worth more than some hundredths of a second."""


class NonFinite(NamedTuple):
    """A number that JSON does not have, and where it is: ``NaN`` at ``result.x[3]``."""

    value: str
    path: str


def find_non_finite(result: Any, subject: str = "result") -> NonFinite | None:
    """Find the first NaN or infinity in a result, if it is among its first values.

    Args:
        result: as user code returned it.
        subject: what the user calls it.
    """
    stack: list[Iterator[tuple[Any, Any]]] = [iter([(subject, result)])]
    keys: list[Any] = []
    for _ in range(MAX_VISITED):
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            if not stack:
                return None
            keys.pop()
            continue
        key, value = item
        keys.append(key)
        if isinstance(value, float) and not isfinite(value):
            return NonFinite(_name(value), path_text(keys))
        found = _in_array(value, keys)
        if found is not None:
            return found
        stack.append(iter(_items(value)))
    return None


def _items(value: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, (list, tuple)):
        return enumerate(value)
    fields = getattr(type(value), "__dataclass_fields__", None)
    return [(name, getattr(value, name, None)) for name in fields] if fields else ()


def _in_array(value: Any, keys: list[Any]) -> NonFinite | None:
    """Look through an array or a scalar of numpy's."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind != "f" or not hasattr(value, "ravel"):
        return None
    from numpy import isfinite as are_finite  # whoever made the array has imported it

    strange = ~are_finite(value)
    if not strange.any():
        return None
    place = strange.ravel().argmax()
    number = float(value.ravel()[place])
    if not getattr(value, "ndim", 0):
        return NonFinite(_name(number), path_text(keys))
    index: list[int] = []
    for size in reversed(value.shape):
        place, rest = divmod(int(place), size)
        index.insert(0, rest)
    return NonFinite(_name(number), path_text([*keys, *index]))


def _name(value: float) -> str:
    if value != value:
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
