from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.zmtp.frames import (
    Command,
    FrameReader,
    Greeting,
    Limits,
    ZmtpError,
    command_bytes,
    message_pieces,
)
from wrapper.protocol.zmtp.handshake import GREETING

LIMITS = Limits(message_bytes=1_000_000)


def feed(reader, data, piece=10**9):
    """Feed bytes in pieces of at most this size."""
    got = []
    while data:
        space = reader.space()
        count = min(len(space), len(data), piece)
        space[:count] = data[:count]
        got += reader.filled(count)
        data = data[count:]
    return got


def greeted(limits=LIMITS):
    reader = FrameReader(limits)
    assert feed(reader, GREETING) == [Greeting(GREETING)]
    return reader


@given(
    st.lists(st.lists(st.binary(max_size=400), min_size=1, max_size=5), max_size=5),
    st.integers(1, 97),
)
def test_messages_come_back_whatever_pieces_they_come_in(messages, piece):
    data = b"".join(bytes(each) for frames in messages for each in message_pieces(frames))
    assert feed(greeted(), data, piece) == messages


@pytest.mark.parametrize("size", [0, 1, 255, 256, 16 * 1024, 16 * 1024 + 1, 300_000])
def test_bodies_of_every_size_class_come_back(size):
    frames = [b"head", bytes(size), b"tail"]
    data = b"".join(map(bytes, message_pieces(frames)))
    assert feed(greeted(), data) == [frames]


@pytest.mark.parametrize("piece", [1, 1_000_000])
@pytest.mark.parametrize("body", [b"x", b"x" * 300], ids=["short", "long"])
def test_limits_hold_for_many_small_frames(body, piece):
    fits = [body] * 4
    data = b"".join(map(bytes, message_pieces(fits)))
    limits = Limits(message_bytes=4 * len(body), frames=4)
    assert feed(greeted(limits), data + data, piece) == [fits, fits]
    for refused in (limits._replace(frames=3), limits._replace(message_bytes=4 * len(body) - 1)):
        with pytest.raises(ZmtpError, match="more than 3 frames|exceeds"):
            feed(greeted(refused), data, piece)


def test_a_large_body_is_not_copied():
    body = bytearray(100_000)
    assert any(piece is body for piece in message_pieces([b"x", body]))


def test_commands_are_kept_apart():
    data = command_bytes(b"\x04PING\0\0") + b"".join(map(bytes, message_pieces([b"x"])))
    assert feed(greeted(), data) == [Command(b"\x04PING\0\0"), [b"x"]]


@pytest.mark.parametrize(
    "data, text",
    [
        (b"\x08\x01x", "unknown flags"),
        (b"\x05\x01x", "go on in another frame"),
        (b"\x06" + (5000).to_bytes(8, "big"), "a command of 5,000 bytes"),
        (b"\x02" + (10**12).to_bytes(8, "big"), "exceeds 1,000,000"),
        pytest.param(b"\x01\x01x" * 17, "more than 16 frames", id="frames"),
        pytest.param(
            (b"\x03" + (400_000).to_bytes(8, "big") + bytes(400_000)) * 3,
            "exceeds 1,000,000",
            id="bytes",
        ),
    ],
)
def test_what_is_not_zmtp_or_too_large_is_refused(data, text):
    with pytest.raises(ZmtpError, match=text):
        feed(greeted(), data)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n", b"\xff" + bytes(20), b"\x16\x03\x01"])
def test_another_protocol_is_refused_at_its_first_bytes(start):
    with pytest.raises(ZmtpError, match="does not speak ZMTP"):
        feed(FrameReader(LIMITS), start)


@given(st.binary(max_size=300))
def test_junk_is_refused_or_read_but_nothing_else(data):
    with suppress(ZmtpError):
        feed(greeted(), data)
