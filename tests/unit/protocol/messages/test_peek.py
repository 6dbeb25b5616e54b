"""Reading a command from a frame's first bytes never contradicts decoding the frame."""

from __future__ import annotations

from typing import Any

import bson
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.errors import DecodingError
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages import commands
from wrapper.protocol.messages.peek import HEAD_BYTES, peek_command

ENCODINGS = ["json", "msgpack", "bson"]
COMMANDS = [
    value for name, value in vars(commands).items() if name.isupper() and isinstance(value, str)
]

encodings = pytest.mark.parametrize("encoding", ENCODINGS)


@encodings
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_found(encoding: str, command: str) -> None:
    frame = get_encoding(encoding).encode({"command": command, "data": ["x" * 200] * 70_000})
    assert peek_command(encoding, frame[:HEAD_BYTES]) == command


@encodings
@given(command=st.text(), data=st.none() | st.integers() | st.lists(st.text()))
def test_peeking_agrees_with_decoding(encoding: str, command: str, data: Any) -> None:
    frame = get_encoding(encoding).encode({"command": command, "data": data})
    peeked = peek_command(encoding, frame[:HEAD_BYTES])
    assert peeked in (None, get_encoding(encoding).decode(frame)["command"])


@encodings
@given(head=st.binary(max_size=HEAD_BYTES))
def test_junk_does_no_harm(encoding: str, head: bytes) -> None:
    assert peek_command(encoding, head) is None or head


@encodings
@given(data=st.data())
def test_damaged_head_does_no_harm(encoding: str, data: st.DataObject) -> None:
    frame = bytearray(get_encoding(encoding).encode({"command": "start", "data": {"a": 1}}))
    position = data.draw(st.integers(0, len(frame) - 1))
    frame[position] = data.draw(st.integers(0, 255))
    peeked = peek_command(encoding, bytes(frame))
    try:
        message = get_encoding(encoding).decode(bytes(frame))
    except DecodingError:
        return
    assert peeked is None or message["command"] == peeked


@encodings
def test_truncated_head(encoding: str) -> None:
    frame = get_encoding(encoding).encode({"command": "initialize"})
    for length in range(len(frame)):
        assert peek_command(encoding, frame[:length]) in (None, "initialize")
    assert peek_command(encoding, frame[: frame.index(b"initialize") + 5]) is None


def test_json_with_spaces() -> None:
    assert peek_command("json", b' \r\n\t{ "command"\n:  "start" , "data":1}') == "start"


@pytest.mark.parametrize(
    "head",
    [
        b'{"data":1,"command":"start"}',
        b'{"command":"st\\u0061rt"}',
        b'{"command":5}',
        b'["command"]',
        b'{"command":"\xff"}',
        b'{"commander":"start"}',
        b"",
    ],
)
def test_json_that_has_to_be_decoded(head: bytes) -> None:
    assert peek_command("json", head) is None


def test_msgpack_in_its_longer_forms() -> None:
    command = "s" * 40
    body = b"\xd9\x07command" + msgpack.packb(command)
    assert peek_command("msgpack", b"\x81" + body) == command
    assert peek_command("msgpack", b"\xde\x00\x01" + body) == command
    assert peek_command("msgpack", b"\xdf\x00\x00\x00\x01" + body) == command


def test_binary_messages_that_have_to_be_decoded() -> None:
    message = {"data": 1, "command": "start"}
    assert peek_command("msgpack", msgpack.packb(message)) is None
    assert peek_command("msgpack", msgpack.packb({"command": 5})) is None
    assert peek_command("bson", bson.encode({"data": message})) is None
    assert peek_command("bson", bson.encode({"data": {"command": 5}})) is None
    assert peek_command("bson", bson.encode({"command": "start"})) is None
