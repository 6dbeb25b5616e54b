"""Dotted paths, such as `data.x.0` inside a value or `2.inner` inside the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MISSING: Any = object()
"""The result of `value_at` if the path does not exist."""

_MOST_DOTS = 16  # in one key: bounds the time that a path of 100,000 dots takes


def value_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path inside another value, or MISSING.

    Keys that contain dots are found if the path is unambiguous.
    """
    steps = path.split(".")
    while steps:
        found = _step(value, steps)
        if found is MISSING:
            return MISSING
        value, taken = found
        steps = steps[taken:]
    return value


def put_at(container: Any, path: str, value: Any) -> bool:
    """Replace the value at a dotted path; return False if the path does not exist."""
    steps = path.split(".")
    while True:
        found = _step(container, steps)
        if found is MISSING:
            return False
        following, taken = found
        if taken == len(steps):
            break
        container, steps = following, steps[taken:]
    if isinstance(container, dict):
        container[_key(container, steps, taken)] = value
    elif isinstance(container, list):
        container[int(steps[0])] = value
    else:
        return False
    return True


def is_array(value: Any) -> bool:
    """Return whether a value has numbered items, like a list, a tuple or a numpy array."""
    if hasattr(value, "dtype"):
        return bool(getattr(value, "ndim", 0))
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))


def _step(value: Any, steps: list[str]) -> Any:
    """Return the value at the first key and the number of steps in that key, or MISSING."""
    if isinstance(value, Mapping):
        for taken in range(1, min(len(steps), _MOST_DOTS) + 1):
            key = _key(value, steps, taken)
            if key is not None:
                return value[key], taken
    elif is_array(value):
        index = steps[0]
        if index.isdecimal() and index.isascii() and len(index) < 19 and int(index) < len(value):
            return value[int(index)], 1
    return MISSING


def _key(value: Mapping[Any, Any], steps: list[str], taken: int) -> Any:
    key = ".".join(steps[:taken])
    if key in value:
        return key
    # A path is text, but msgpack allows numbers as keys.
    number = int(key) if key.isdecimal() and key.isascii() and len(key) < 19 else None
    return number if number is not None and number in value else None
