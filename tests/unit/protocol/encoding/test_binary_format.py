"""msgpack and BSON: the values that each keeps, converts or rejects."""

from __future__ import annotations

import datetime
import struct
from typing import Any

import bson
import msgpack
import numpy
import ormsgpack
import pytest
from bson.binary import Binary
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64
from bson.objectid import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import DecodingError, EncodingError
from wrapper.protocol.encoding.bson_encoding import BsonEncoding
from wrapper.protocol.encoding.encoding import Encoding
from wrapper.protocol.encoding.msgpack_encoding import MsgpackEncoding
from wrapper.protocol.messages import shapes

MSGPACK, BSON = MsgpackEncoding(), BsonEncoding()
UTC = datetime.timezone.utc

both = pytest.mark.parametrize("encoding", [MSGPACK, BSON], ids=["msgpack", "bson"])


def through(encoding: Encoding, value: Any) -> Any:
    return encoding.decode(encoding.encode(shapes.done(value)))["data"]


@both
class TestBoth:
    def test_too_large_ints_become_floats_as_in_javascript(self, encoding: Encoding) -> None:
        result = through(encoding, {"a": [2**70, -(2**63) - 1, 2**63 - 1], "b": -(10**300)})
        assert result == {"a": [2.0**70, -(2.0**63), 2**63 - 1], "b": -1e300}
        assert isinstance(result["a"][0], float)

    def test_ints_beyond_the_range_of_floats_are_rejected(self, encoding: Encoding) -> None:
        with pytest.raises(EncodingError, match=r"result\.a\[1\] is an int of 1329 bits; make it"):
            encoding.encode(shapes.done({"a": [1, 10**400]}))

    def test_lone_surrogates_become_the_replacement_character(self, encoding: Encoding) -> None:
        value = {"a\ud800": ["é\udfff", "\ud83d\ude00", "é"], "é": 1}
        assert through(encoding, value) == {"a\ufffd": ["é\ufffd", "😀", "é"], "é": 1}

    def test_value_is_not_changed(self, encoding: Encoding) -> None:
        value = {1: [2**70, (datetime.date(2020, 1, 1),)], "é": "\ud800"}
        encoding.encode(shapes.done(value))
        assert value == {1: [2**70, (datetime.date(2020, 1, 1),)], "é": "\ud800"}

    def test_error_of_the_library_is_reported(
        self, encoding: Encoding, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(message: Any) -> bytes:
            raise ValueError("more than 4 GB")

        def refuse_type(message: Any, default: Any, option: int) -> bytes:
            raise TypeError("more than 4 GB")

        monkeypatch.setattr(ormsgpack, "packb", refuse_type)
        monkeypatch.setattr(msgpack, "packb", refuse)
        monkeypatch.setattr(bson, "encode", refuse)
        with pytest.raises(EncodingError, match="the result cannot be sent as .*: more than 4 GB"):
            encoding.encode(shapes.done([1]))

    def test_datetime_is_sent_as_text(self, encoding: Encoding) -> None:
        assert (
            through(encoding, datetime.datetime.fromisoformat("2020-01-01"))
            == "2020-01-01T00:00:00"
        )

    def test_error_about_junk_quotes_its_first_bytes(self, encoding: Encoding) -> None:
        with pytest.raises(DecodingError, match=r"\(12 bytes, from c1 00 00 00 01 02 03 04\): "):
            encoding.decode(b"\xc1\0\0\0\1\2\3\4\5\6\7\x08")
        with pytest.raises(DecodingError, match=r"\(0 bytes\): "):
            encoding.decode(b"")


ARRAYS = [
    numpy.arange(6).reshape(2, 3),
    numpy.arange(3, dtype=">i4"),
    numpy.zeros((2, 4))[:, ::2] + 0.5,
    numpy.array([0.1], dtype="f4"),
    numpy.array([0.1], dtype="f2"),
    numpy.array([True]),
    numpy.array([1], dtype="u8"),
    numpy.array(5),
    numpy.array(["2026-01-02"], dtype="M8[D]"),
    numpy.array(["a"]),
    numpy.zeros((0, 3)),
]


@pytest.mark.parametrize("array", ARRAYS, ids=str)
def test_array_is_encoded_alike_alone_and_within_other_values(array: Any) -> None:
    """The fast way encodes only an array that is the whole result; both ways must agree."""
    encoding = MsgpackEncoding()
    alone = encoding.decode(encoding.encode(shapes.done(array)))["data"]
    within = encoding.decode(encoding.encode(shapes.done([array, {1: 1}])))["data"][0]
    assert (
        alone == within == BsonEncoding().decode(BsonEncoding().encode(shapes.done(array)))["data"]
    )


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.binary()
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    )
)
def test_fast_and_slow_way_agree(value: Any) -> None:
    message = shapes.done(value)
    assert MsgpackEncoding().encode(message) == msgpack.packb(message)


class TestMsgpack:
    def test_unsigned_ints(self) -> None:
        assert through(MSGPACK, [2**64 - 1]) == [2**64 - 1]

    @pytest.mark.parametrize("value", [{}, {1: 2}, {"a": {1: 2}}])
    def test_key_that_crashes_the_worker_is_rejected(self, value: dict[Any, Any]) -> None:
        with pytest.raises(EncodingError, match=r"result\.x\.__proto__ has a key that HKube's w"):
            MSGPACK.encode(shapes.done({"x": {**value, "__proto__": 1}}))

    def test_timestamp_becomes_a_datetime(self) -> None:
        moment = datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
        assert MSGPACK.decode(msgpack.packb([moment], datetime=True)) == [moment]

    def test_lone_surrogate_from_javascript(self) -> None:
        assert MSGPACK.decode(b"\xa3\xed\xa0\x80") == "\ud800"

    def test_keys_other_than_text(self) -> None:
        assert MSGPACK.decode(b"\x81\x01\x02") == {1: 2}

    @pytest.mark.parametrize(
        "frame",
        [
            b"\xa1\xff",
            b"\x81\x90\x01",
            b"\x91" * 3000 + b"\x90",
            b"\xdd\xff\xff\xff\xff",
            b"\xc7\x01\xff\x00",
            b"\x01\x02",
        ],
    )
    def test_invalid_msgpack(self, frame: bytes) -> None:
        with pytest.raises(DecodingError, match="the message is not valid msgpack"):
            MSGPACK.decode(frame)


class TestBson:
    def test_message_is_wrapped(self) -> None:
        message = {"command": "done", "data": [1]}
        assert bson.decode(BSON.encode(message)) == {"data": message}
        assert BSON.decode(bson.encode({"data": message, "x": 1})) == message

    def test_document_without_a_message(self) -> None:
        with pytest.raises(DecodingError, match="it has no field 'data'"):
            BSON.decode(bson.encode({"command": "start"}))

    @pytest.mark.parametrize("value", [{"a\0b": 1}, {"a\0b": [1], "c": {1: 2}}])
    def test_key_with_a_null_character_is_rejected(self, value: dict[Any, Any]) -> None:
        with pytest.raises(EncodingError, match=r'result\.x\["a\\u0000b"\] has a null character'):
            BSON.encode(shapes.done({"x": value}))

    def test_decoded_values_can_be_sent_again(self) -> None:
        value = BSON.decode(BSON.encode(shapes.done([2**40, b"a"])))["data"]
        assert isinstance(value[0], Int64)
        assert through(BSON, value) == value

    def test_types_of_mongodb(self) -> None:
        moment = datetime.datetime(2020, 1, 2, tzinfo=UTC)
        beyond = DatetimeMS(10**16)
        some_id = ObjectId()
        data = [moment, beyond, some_id, Binary(b"a", 5)]
        result = BSON.decode(bson.encode({"data": {"command": "start", "data": data}}))["data"]
        assert result == [moment, beyond, some_id, Binary(b"a", 5)]
        assert result[0].tzinfo is UTC
        assert isinstance(result[3], bytes)
        assert through(BSON, some_id) == str(some_id)

    def test_nesting_too_deep_for_the_library(self) -> None:
        document = b"\x05\0\0\0\0"
        for _ in range(20_000):
            document = struct.pack("<i", len(document) + 8) + b"\x03a\0" + document + b"\0"
        with pytest.raises(DecodingError, match="the message is not valid BSON"):
            BSON.decode(document)
