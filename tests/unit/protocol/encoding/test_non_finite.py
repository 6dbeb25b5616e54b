"""Finding NaN and infinities, which JSON turns into null."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding import non_finite
from wrapper.protocol.encoding.json_encoding import JsonEncoding
from wrapper.protocol.encoding.non_finite import NonFinite, find_non_finite


@dataclass
class Point:
    x: float
    y: Any


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (nan, NonFinite("NaN", "result")),
        ([1.0, {"a": (0, inf)}], NonFinite("Infinity", "result[1].a[1]")),
        ({"b": -inf}, NonFinite("-Infinity", "result.b")),
        (Point(1.0, [nan]), NonFinite("NaN", "result.y[0]")),
        (numpy.float32("nan"), NonFinite("NaN", "result")),
        ({"m": numpy.array([[1, 2], [3, nan]])}, NonFinite("NaN", "result.m[1][1]")),
        (numpy.array([[[0, inf]]]), NonFinite("Infinity", "result[0][0][1]")),
        (numpy.array(nan), NonFinite("NaN", "result")),
        ([None, [], {}, "nan", numpy.array([1, 2]), numpy.zeros(3)], None),
    ],
)
def test_value_and_path(result: Any, found: NonFinite | None) -> None:
    assert find_non_finite(result) == found


def test_search_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert find_non_finite(endless) is None
    monkeypatch.setattr(non_finite, "MAX_VISITED", 50)
    assert find_non_finite([0] * 100 + [nan]) is None


FLOATS = st.floats(allow_nan=True, allow_infinity=True)
RESULTS = st.recursive(
    FLOATS | st.integers(0, 9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=20,
)


@given(RESULTS)
def test_value_is_found_exactly_if_json_turns_it_into_null(result: Any) -> None:
    has_null = b"null" in JsonEncoding().encode({"data": result})
    assert (find_non_finite(result) is not None) == has_null
