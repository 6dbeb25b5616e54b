"""Finding NaN and infinities, which JSON turns into null."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import isfinite
from typing import Any, NamedTuple

from .value_path import path_text

MAX_VISITED = 200_000
"""The most values to look at: a warning is worth a few hundredths of a second, no more."""


class NonFinite(NamedTuple):
    """A number that JSON cannot express, and its path: ``NaN`` at ``result.x[3]``."""

    value: str
    path: str


def find_non_finite(result: Any, subject: str = "result") -> NonFinite | None:
    """Find the first NaN or infinity among the first values of a result.

    Args:
        result: the value that user code returned.
        subject: the user's name for it.
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
    """Search a numpy array or scalar."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind != "f" or not hasattr(value, "ravel"):
        return None
    from numpy import isfinite as are_finite  # already imported by the code that made the array

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
