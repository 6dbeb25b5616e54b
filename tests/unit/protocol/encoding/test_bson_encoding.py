"""What BSON messages for HKube's worker hold, which JavaScript reads."""

from __future__ import annotations

from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import EncodingError
from wrapper.protocol.encoding.encoding import get_encoding

SAFE = 2**53


def sent(value: Any) -> Any:
    frame = get_encoding("bson", for_worker=True).encode({"command": "done", "data": value})
    return bson.decode(frame)["data"]["data"]


def integers_of(value: Any) -> list[int]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for each in value for number in integers_of(each)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


@pytest.mark.parametrize("number", [SAFE + 1, -SAFE - 1, 2**60, 2**63 - 1, -(2**63), 2**70])
def test_large_int_is_the_number_that_javascript_reads_from_json(number: int) -> None:
    for value in (number, [1, number], {"a": {"b": [number, "x"]}}, [0.5, number]):
        result = sent(value)
        assert not [found for found in integers_of(result) if abs(found) > SAFE]
    assert sent([number]) == [float(number)]
    assert isinstance(sent([number])[0], float)


@pytest.mark.parametrize("number", [0, 1, -1, 2**31, -(2**40), SAFE, -SAFE])
def test_safe_int_stays_an_int(number: int) -> None:
    assert type(int(sent([number])[0])) is int
    assert not isinstance(sent([number])[0], float)
    assert sent([number]) == [number]


def test_storage_keeps_large_ints_exact() -> None:
    encoding = get_encoding("bson")
    assert encoding.decode(encoding.encode({"data": 2**60})) == {"data": 2**60}


@given(
    st.recursive(
        st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(codec="ascii")), inner)
        ),
    )
)
def test_no_int_beyond_the_safe_range_is_sent(value: Any) -> None:
    try:
        result = sent(value)
    except EncodingError:  # a key with a null character
        return
    assert all(abs(number) <= SAFE for number in integers_of(result))
