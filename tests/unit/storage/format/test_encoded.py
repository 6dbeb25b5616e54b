"""Values and their stored form."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import bson
import msgpack
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import EncodingError, StorageError
from wrapper.storage.format.encoded import Encoded, decode_value, encode_value
from wrapper.storage.format.header import make_header

ENCODINGS = ["json", "msgpack", "bson"]
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc.$", max_size=5), inner),
    max_leaves=20,
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=JSON_VALUES)
def test_round_trip(encoding: str, value: Any) -> None:
    stored = encode_value(value, encoding, "result")
    assert decode_value(stored, encoding, stored.size) == value
    whole = Encoded(b"", stored.header + bytes(stored.payload))  # as in a file
    assert decode_value(whole, encoding) == value


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(value=st.binary())
def test_bytes_are_raw_in_every_encoding(encoding: str, value: bytes) -> None:
    stored = encode_value(value, encoding, "result")
    assert stored.payload is value
    assert decode_value(Encoded(b"", stored.header + value), encoding) == value


def test_payload_matches_hkubes_libraries() -> None:
    value = {"a": [1, "x", None]}
    assert bytes(encode_value(value, "msgpack", "r").payload) == msgpack.packb(value)
    assert bytes(encode_value(value, "bson", "r").payload) == bson.encode({"data": value})
    stored = encode_value(value, "json", "r")
    assert stored.header == b""
    assert bytes(stored.payload) == json.dumps(value, separators=(",", ":")).encode()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_types_become_plain_values(encoding: str) -> None:
    stored = encode_value(numpy.arange(3), encoding, "result")
    assert decode_value(stored, encoding) == [0, 1, 2]
    stored = encode_value((1, (2,)), encoding, "result")
    assert decode_value(stored, encoding) == [1, [2]]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value, path", [({"a": {1}}, "result.a"), ({1}, "result ")])
def test_unencodable_value_is_named_by_its_path(encoding: str, value: Any, path: str) -> None:
    with pytest.raises(EncodingError, match=path):
        encode_value(value, encoding, "result")


def test_header_overrides_the_setting() -> None:
    stored = encode_value([1], "bson", "result")
    assert decode_value(stored, "msgpack") == [1]


def test_bytes_without_a_header() -> None:
    assert decode_value(Encoded(b"", msgpack.packb([1])), "msgpack") == [1]
    assert decode_value(Encoded(b"", b"\xc1no"), "msgpack") == b"\xc1no"
    assert decode_value(Encoded(b"", memoryview(b"not json")), "json") == b"not json"


def test_truncated_values() -> None:
    stored = encode_value(["a" * 50], "msgpack", "result")
    cut = Encoded(stored.header, stored.payload[:20])
    with pytest.raises(StorageError, match="incomplete: 20 of 53 bytes"):
        decode_value(cut, "msgpack", stored.size)
    with pytest.raises(StorageError, match="it is corrupt: the message is not valid msgpack"):
        decode_value(cut, "msgpack")
    raw = make_header(True, "msgpack")
    with pytest.raises(StorageError, match="incomplete"):
        decode_value(Encoded(raw, b"1234"), "msgpack", 5)
    assert (
        decode_value(Encoded(raw, b"1234"), "msgpack", 12) == b"1234"
    )  # the size includes the header
    with pytest.raises(StorageError, match="incomplete"):
        decode_value(Encoded(b"", b"[1,"), "json", 5)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.binary(max_size=60), size=st.none() | st.integers(0, 100))
def test_any_bytes_give_a_value_or_an_error(encoding: str, data: bytes, size: int | None) -> None:
    for header in (b"", make_header(False, encoding), b"short"):
        with contextlib.suppress(StorageError):
            decode_value(Encoded(header, data), encoding, size)
