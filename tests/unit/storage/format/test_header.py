"""HKube's 8-byte header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.storage.format.header import Header, make_header, read_header


@pytest.mark.parametrize(
    "is_raw, encoding, expected",
    [
        (False, "msgpack", "01 08 02 03 00 00 48 4b"),
        (True, "msgpack", "01 08 01 03 00 00 48 4b"),
        (False, "bson", "01 08 02 01 00 00 48 4b"),
        (False, "json", "01 08 02 02 00 00 48 4b"),
    ],
)
def test_header_bytes(is_raw: bool, encoding: str, expected: str) -> None:
    header = make_header(is_raw, encoding)
    assert header == bytes.fromhex(expected)
    assert read_header(header) == Header(is_raw, encoding)
    assert read_header(memoryview(header + b"payload")) == Header(is_raw, encoding)


@pytest.mark.parametrize(
    "other",
    [
        b"",
        b"\x01\x08\x02\x03\0\0H",
        b"\x01\x08\x02\x03\0\0HL",
        b"\x02\x08\x02\x03\0\0HK",
        b"\x01\x08\x03\x03\0\0HK",
        b"\x01\x08\x02\x09\0\0HK",
        b'"12345HK"',
    ],
)
def test_invalid_headers(other: bytes) -> None:
    assert read_header(other) is None


@given(st.binary(max_size=20))
def test_any_bytes_are_read_safely(data: bytes) -> None:
    header = read_header(data)
    assert header is None or data[:4] == make_header(*header)[:4]
