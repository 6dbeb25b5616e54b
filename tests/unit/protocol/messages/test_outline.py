"""Telling messages from other bytes by their ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages.outline import is_message

ENCODINGS = ["json", "msgpack", "bson"]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner),
    max_leaves=5,
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=values)
def test_every_message_is_one(encoding: str, data: Any) -> None:
    message = get_encoding(encoding).encode({"command": "done", "data": data})

    assert is_message(message, encoding)
    assert is_message(bytearray(message), encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("junk", [b"", b"\0", b"\0\xff" * 500, b"null", b"[1]", b"5", bytes(16)])
def test_other_bytes_are_not(encoding: str, junk: bytes) -> None:
    assert not is_message(junk, encoding)


@pytest.mark.parametrize("encoding", ["json", "bson"])
def test_message_that_was_cut_is_not(encoding: str) -> None:
    message = get_encoding(encoding).encode({"command": "done", "data": [1, {"a": 2}, "text"]})

    assert not is_message(message[:-1], encoding)
    assert not is_message(message[1:], encoding)
