"""Packets of socket.io: messages in both directions, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.socketio.packets import (
    LISTENED_COMMANDS,
    PacketError,
    PacketReader,
    ReceivedPacket,
    event_packet,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def text(packet: str) -> ReceivedPacket:
    return PacketReader().text(packet.encode())


@given(command=st.text(), data=json_values, ascii_only=st.booleans())
def test_message_of_an_event_is_its_argument_unchanged(
    command: str, data: object, ascii_only: bool
) -> None:
    message = json.dumps({"command": command, "data": data}, ensure_ascii=ascii_only)
    name = json.dumps(command, ensure_ascii=ascii_only)
    raw = f"42[{name},{message}]".encode(errors="surrogatepass")
    assert PacketReader().text(bytearray(raw)) == ReceivedPacket(
        message.encode(errors="surrogatepass")
    )


@given(command=st.sampled_from(sorted(LISTENED_COMMANDS)), data=json_values)
def test_what_we_send_is_an_event_named_after_the_command(command: str, data: object) -> None:
    message = {"command": command, "data": data}
    packet = event_packet(command, json.dumps(message).encode())
    assert packet[:2] == b"42"
    assert json.loads(packet[2:]) == [command, message]


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        ("2", ReceivedPacket(answer=b"3")),
        ("2probe", ReceivedPacket(answer=b"3probe")),
        ("3", ReceivedPacket()),
        ("6", ReceivedPacket()),
        ("40", ReceivedPacket()),
        ("40/other", ReceivedPacket()),
        ("43[1]", ReceivedPacket()),
        ("41/other,", ReceivedPacket()),
        ("41", ReceivedPacket(end="the worker closed the socket.io session")),
        ("1", ReceivedPacket(end="the worker closed the socket.io session")),
        ('44"not you"', ReceivedPacket(end="the worker sent an error: not you")),
        ('42["stop"]', ReceivedPacket(b'{"command":"stop"}')),
        ('42/,["stop",{}]', ReceivedPacket(b"{}")),
        ('42/other,["stop",{}]', ReceivedPacket()),
        ('4212["stop",{"a":1}]', ReceivedPacket(b'{"a":1}')),
        ('42 nonsense', ReceivedPacket(b" nonsense")),
        ('42["stop",{}', ReceivedPacket(b'["stop",{}')),
        ('42', ReceivedPacket(b"")),
        ('450-["stop",{}]', ReceivedPacket(b"{}")),
    ],
)  # fmt: skip
def test_each_kind_of_packet(packet: str, expected: ReceivedPacket) -> None:
    assert text(packet) == expected


@pytest.mark.parametrize("packet", ["", "0{}", "7", "x", "45", "45x", "451[]", "45999999-[]"])
def test_what_is_no_packet_of_an_open_session_is_refused(packet: str) -> None:
    with pytest.raises(PacketError):
        text(packet)


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_read_or_refused(junk: bytes, is_text: bool) -> None:
    reader = PacketReader()
    try:
        (reader.text if is_text else reader.binary)(junk)
    except PacketError:
        pass


# --------------------------------------------------------------------------- attachments --
EVENT = b'452-["initialize",{"command":"initialize","a":%s,"b":[%s]}]'
PLACES = (b'{"_placeholder":true,"num":1}', b'{"_placeholder":true,"num":0}')


def test_event_is_complete_after_its_last_attachment() -> None:
    reader = PacketReader()
    assert reader.text(EVENT % PLACES) == ReceivedPacket()
    assert reader.binary(b"\x04\x00\xff") == ReceivedPacket()
    whole = reader.binary(bytearray(b"\x04")).payload
    assert whole is not None and json.loads(whole) == {
        "command": "initialize",
        "a": {"type": "Buffer", "data": []},
        "b": [{"type": "Buffer", "data": [0, 255]}],
    }
    assert reader.text(b'42["stop"]').payload == b'{"command":"stop"}'


def test_pings_are_answered_between_attachments() -> None:
    reader = PacketReader()
    reader.text(EVENT % PLACES)
    assert reader.text(b"2").answer == b"3"


def test_event_in_place_of_an_attachment_is_refused() -> None:
    reader = PacketReader()
    reader.text(EVENT % PLACES)
    with pytest.raises(PacketError, match="in place of an attachment"):
        reader.text(b'42["stop"]')


@pytest.mark.parametrize("attachment", [b"", b"\x04x", b"\x05x"])
def test_attachment_that_no_event_announced_is_refused(attachment: bytes) -> None:
    with pytest.raises(PacketError, match="no event has announced"):
        PacketReader().binary(attachment)


@pytest.mark.parametrize("number", [b"2", b"-1", b"null", b'"0"'])
def test_placeholder_without_an_attachment_is_refused(number: bytes) -> None:
    reader = PacketReader()
    reader.text(b'451-["x",{"_placeholder":true,"num":%s}]' % number)
    with pytest.raises(PacketError, match="which does not exist"):
        reader.binary(b"\x04x")


def test_attachments_of_an_argument_that_is_no_json_leave_it_as_it_is() -> None:
    reader = PacketReader()
    reader.text(b'451-["x",{"broken]')
    assert reader.binary(b"\x04x").payload == b'{"broken'
