"""WebSocket frames, compared with those of the `websockets` library."""

from __future__ import annotations

import struct
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Close, Frame, Opcode
from websockets.server import ServerProtocol

from wrapper.protocol.websocket import frames
from wrapper.protocol.websocket.frames import FrameError, MessageReader, WebSocketMessage


def feed(
    reader: MessageReader, data: bytes, pieces: list[int] | None = None
) -> list[WebSocketMessage]:
    messages: list[WebSocketMessage] = []
    sizes = iter(pieces or [])
    rest = memoryview(data)
    while rest:
        space = reader.space()
        count = min(next(sizes, len(space)), len(space), len(rest))
        space[:count] = rest[:count]
        rest = rest[count:]
        messages += reader.filled(count)
    return messages


def server_frame(first: int, payload: bytes) -> bytes:
    """Return a frame as the worker writes it: unmasked."""
    if len(payload) < 126:
        head = struct.pack("!BB", first, len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack("!BBH", first, 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, 127, len(payload))
    return head + payload


def joined(parts: list[bytes | bytearray]) -> bytes:
    return b"".join(parts)


# ------------------------------------------------------------------------------- reading --
lengths = st.one_of(st.integers(0, 130), st.integers(65_500, 65_560), st.integers(130_000, 131_100))
data_messages = st.builds(
    lambda opcode, length, filling: WebSocketMessage(opcode, bytes([filling]) * length),
    st.sampled_from([frames.TEXT, frames.BINARY]),
    lengths,
    st.integers(0, 255),
)
control_messages = st.builds(
    WebSocketMessage,
    st.sampled_from([frames.PING, frames.PONG, frames.CLOSE]),
    st.binary(max_size=125),
)
piece_lists = st.lists(st.one_of(st.integers(1, 20), st.integers(1, 70_000)), max_size=50)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[WebSocketMessage]]:
    """Draw messages, in fragments with control frames in between; return bytes and messages."""
    data, expected = b"", []
    for opcode, payload in draw(st.lists(data_messages, max_size=4)):
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=4)))
        parts = [
            bytes(payload[a:b]) for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)
        ]
        for number, part in enumerate(parts):
            for control in draw(st.lists(control_messages, max_size=1)):
                data += server_frame(0x80 | control.opcode, bytes(control.payload))
                expected.append(control)
            final = 0x80 if number == len(parts) - 1 else 0
            data += server_frame(final | (opcode if number == 0 else frames.CONTINUATION), part)
        expected.append(WebSocketMessage(opcode, payload))
    return data, expected


@given(conversations(), piece_lists)
@settings(deadline=None)
def test_messages_are_complete_however_the_bytes_arrive(
    conversation: tuple[bytes, list[WebSocketMessage]], pieces: list[int]
) -> None:
    data, expected = conversation

    assert feed(MessageReader(), data, pieces) == expected


@given(st.lists(st.binary(max_size=60), max_size=5), piece_lists)
def test_junk_gives_messages_or_a_frame_error(junk: list[bytes], pieces: list[int]) -> None:
    try:
        messages = feed(MessageReader(), b"".join(junk), pieces)
    except FrameError:
        return
    known = (frames.TEXT, frames.BINARY, frames.CLOSE, frames.PING, frames.PONG)
    assert all(opcode in known for opcode, _ in messages)


@given(conversations(), st.data())
@settings(deadline=None)
def test_damage_gives_messages_or_a_frame_error(
    conversation: tuple[bytes, list[WebSocketMessage]], data: st.DataObject
) -> None:
    broken = bytearray(conversation[0])
    if broken:
        place = data.draw(st.integers(0, min(len(broken), 400) - 1))
        broken[place] ^= data.draw(st.integers(1, 255))
    try:
        feed(MessageReader(), bytes(broken))
    except FrameError:
        pass


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes([0xC1, 0]), "reserved bits"),
        (bytes([0x81, 0x80, 1, 2, 3, 4]), "masked"),
        (bytes([0x83, 0]), "unknown opcode 3"),
        (bytes([0x8B, 0]), "unknown opcode 11"),
        (bytes([0x09, 0]), "fragmented"),
        (bytes([0x89, 126, 0, 126]), "too long"),
        (bytes([0x82, 127]) + (frames.MAX_FRAME_BYTES + 1).to_bytes(8, "big"), "claims"),
        (bytes([0x82, 127]) + b"\xff" * 8, "claims"),
        (server_frame(0x80, b"rest"), "without a message to continue"),
        (server_frame(0x00, b"rest"), "without a message to continue"),
        (server_frame(0x01, b"a") + server_frame(0x81, b"b"), "inside a fragmented one"),
        (server_frame(0x01, b"") + server_frame(0x82, b"b"), "inside a fragmented one"),
        (server_frame(0x01, b"a") + server_frame(0x02, b"b"), "inside a fragmented one"),
    ],
)
def test_error_says_why_a_frame_is_invalid(data: bytes, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        feed(MessageReader(), data)


def test_fragmented_message_after_another() -> None:
    data = b"".join(
        [
            server_frame(0x01, b"a"),
            server_frame(0x80, b"b"),
            server_frame(0x02, b"c"),
            server_frame(0x80, b""),
        ]
    )

    assert feed(MessageReader(), data) == [(frames.TEXT, b"ab"), (frames.BINARY, b"c")]


def test_large_message_is_not_copied() -> None:
    reader = MessageReader()
    data = server_frame(0x82, bytes(200_000))
    feed(reader, data[:1000])
    space = reader.space()
    place = space.obj
    space[:] = data[1000:]

    [message] = reader.filled(len(space))

    assert message.payload is place


# ------------------------------------------------------------------------------- writing --
@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_masking_follows_the_rfc(payload: bytes, key: bytes) -> None:
    assert frames.mask(payload, key) == bytes(a ^ b for a, b in zip(payload, cycle(key)))


@pytest.mark.parametrize("length", [1024**2 - 1, 1024**2, 1024**2 + 1, 3 * 1024**2 + 2])
def test_masking_continues_from_piece_to_piece(length: int) -> None:
    payload, key = bytes(range(256)) * (length // 256) + bytes(length % 256), b"\x01\x82\xf3\x04"

    masked = frames.mask(payload, key)

    assert masked[::4] == bytes(byte ^ key[0] for byte in payload[::4])
    assert masked[3::4] == bytes(byte ^ key[3] for byte in payload[3::4])
    assert frames.mask(masked, key) == payload


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_large_unmasked_payload_is_not_copied(kind: type[bytes | bytearray]) -> None:
    payload = kind(100_000)

    head, body = frames.frame_parts(frames.TEXT, payload, masked=False)

    assert body is payload
    assert head[-4:] == bytes(4), "the mask that changes nothing"


def test_mask_is_not_used_twice() -> None:
    keys = {joined(frames.frame_parts(frames.TEXT, b"", masked=True))[2:] for _ in range(50)}

    assert len(keys) == 50


# --------------------------------------------------------------------- with the library --
def server() -> ServerProtocol:
    from websockets.protocol import State

    return ServerProtocol(state=State.OPEN, max_size=None)


@given(st.lists(data_messages, max_size=4), st.booleans())
@settings(deadline=None)
def test_library_reads_our_frames(messages: list[WebSocketMessage], masked: bool) -> None:
    peer = server()
    for opcode, payload in messages:
        sent = b"x" * len(payload) if opcode == frames.TEXT else payload
        peer.receive_data(joined(frames.frame_parts(opcode, sent, masked)))
        [event] = peer.events_received()
        assert isinstance(event, Frame)
        assert (event.opcode, event.data, event.fin) == (opcode, sent, True)


@given(st.lists(data_messages, max_size=4), piece_lists)
@settings(deadline=None)
def test_we_read_frames_of_the_library(messages: list[WebSocketMessage], pieces: list[int]) -> None:
    peer = server()
    for opcode, payload in messages:
        send = peer.send_text if opcode == frames.TEXT else peer.send_binary
        send(bytes(payload))
        peer.send_ping(b"now")
    data = b"".join(peer.data_to_send())

    expected = [each for message in messages for each in (message, (frames.PING, b"now"))]
    assert feed(MessageReader(), data, pieces) == expected


@pytest.mark.parametrize("masked", [True, False])
def test_library_understands_our_close_frame(masked: bool) -> None:
    peer = server()
    goodbye = frames.close_payload(1000, "done here")

    peer.receive_data(joined(frames.frame_parts(frames.CLOSE, goodbye, masked)))

    assert peer.close_rcvd == Close(1000, "done here")
    [(opcode, payload)] = feed(MessageReader(), b"".join(peer.data_to_send()))
    assert opcode == Opcode.CLOSE
    assert frames.read_close(payload) == (1000, "done here")


def test_library_understands_our_ping_and_pong() -> None:
    peer = server()
    peer.receive_data(joined(frames.frame_parts(frames.PING, b"there?", masked=True)))
    assert feed(MessageReader(), b"".join(peer.data_to_send())) == [(frames.PONG, b"there?")]

    peer.receive_data(joined(frames.frame_parts(frames.PONG, b"", masked=False)))
    assert [event.opcode for event in peer.events_received() if isinstance(event, Frame)] == [
        Opcode.PING,
        Opcode.PONG,
    ]


# ------------------------------------------------------------------------------- closing --
@pytest.mark.parametrize(
    ("payload", "meaning"),
    [
        (b"", (1005, "")),
        (b"\x03", (1005, "")),
        (b"\x03\xe8", (1000, "")),
        (b"\x0f\xa1" + "schön".encode(), (4001, "schön")),
        (b"\x03\xe8\xff\xfe", (1000, "\ufffd\ufffd")),
    ],
)
def test_any_close_frame_is_read(payload: bytes, meaning: tuple[int, str]) -> None:
    assert frames.read_close(payload) == meaning


def test_too_long_reason_is_truncated() -> None:
    assert len(frames.close_payload(1000, "x" * 500)) == 125


def test_endless_fragments_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wrapper.protocol.websocket.frames.MAX_FRAGMENTED_BYTES", 100_000)
    reader = MessageReader()
    feed(reader, server_frame(0x01, b"x" * 40_000) + server_frame(0x80, b"x" * 40_000))
    with pytest.raises(frames.FrameError, match="in fragments"):
        feed(reader, server_frame(0x01, b"") + server_frame(0x00, b"") * 2000)
