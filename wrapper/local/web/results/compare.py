"""Where two values differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from .lines import one_line

_MOST_ROWS = 200
_MISSING = object()


def difference(left: Any, right: Any) -> dict[str, Any]:
    """Return the places where two values differ.

    Returns:
        `rows`: of each place its `path` as code, and both values as lines, None where it is
        missing; `more`: whether there are more places.
    """
    rows = list(islice(_differences(left, right, ""), _MOST_ROWS + 1))
    return {"rows": rows[:_MOST_ROWS], "more": len(rows) > _MOST_ROWS}


def _differences(left: Any, right: Any, path: str) -> Iterator[dict[str, Any]]:
    waiting = [(left, right, path)]
    while waiting:  # no recursion: a result may be nested deeply
        left, right, path = waiting.pop()
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            keys = list(dict.fromkeys([*left, *right]))
            waiting += [
                (left.get(key, _MISSING), right.get(key, _MISSING), f"{path}[{key!r}]")
                for key in reversed(keys)
            ]
        elif isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
            longest = max(len(left), len(right))
            waiting += [
                (_item(left, place), _item(right, place), f"{path}[{place}]")
                for place in reversed(range(longest))
            ]
        elif type(left) is not type(right) or left != right:
            yield {"path": path, "left": _line(left), "right": _line(right)}


def _item(values: Any, place: int) -> Any:
    return values[place] if place < len(values) else _MISSING


def _line(value: Any) -> str | None:
    return None if value is _MISSING else one_line(value)
