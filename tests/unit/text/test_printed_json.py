"""Each value that a result may hold has a form in printed JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.local.pipeline.streaming.endpoints import output
from wrapper.text.printed_json import BASE64, as_json, json_pieces, printable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"png": b"\x89PNG\x00"}, '{"png": {"$base64": "iVBORwA="}}'),
        ([bytearray(b"a"), memoryview(b"a")], '[{"$base64": "YQ=="}, {"$base64": "YQ=="}]'),
        ([1.5, float("nan"), float("-inf")], "[1.5, null, null]"),
        ({b"key": 1, (1, 2): float("inf")}, '{"b\'key\'": 1, "(1, 2)": null}'),
        ({1: "ä", None: True}, '{"1": "ä", "null": true}'),
        (3j, '"3j"'),
    ],
)
def test_values_that_json_lacks(value: Any, text: str) -> None:
    assert as_json(value) == text
    assert json.loads(as_json(value, indent=2)) == json.loads(text)


@given(VALUES)
def test_any_value_gives_json_that_programs_can_read(value: Any) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(as_json(value), parse_constant=refuse) == json.loads(as_json(value, 2))


@given(st.binary())
def test_marked_bytes_can_be_restored(data: bytes) -> None:
    assert base64.b64decode(json.loads(as_json(data))[BASE64]) == data


def test_a_long_value_comes_in_pieces() -> None:
    assert next(json_pieces(list(range(1000)), indent=2)).count("\n") <= 1


@pytest.mark.parametrize("value", [b"\xff", memoryview(b"1"), 3j])
def test_streaming_pipelines_print_the_same(value: Any) -> None:
    assert output._printable(value) == printable(value)
