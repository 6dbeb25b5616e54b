"""Opens a socket.io session over a new WebSocket; blocks, in the thread that connects."""

from __future__ import annotations

from ...protocol.socketio.session import SessionError, SessionStart
from ...protocol.websocket import frames
from ..loop.outbox import ByteStream

_MAX_BYTES = 64 * 1024
_LENGTH_BYTES = {126: 2, 127: 8}


def open_session(stream: ByteStream) -> float:
    """Read what the server sends first, and not a byte of what follows.

    Returns:
        The seconds between two pings that the server asks for.

    Raises:
        SessionError: the server did not open a session.
        OSError: the connection broke.
    """
    start = SessionStart()
    try:
        while True:
            opcode, payload = _read_frame(stream)
            if opcode == frames.CLOSE:
                code, reason = frames.read_close(payload)
                raise SessionError(f"it closed the connection with code {code} {reason}".strip())
            if opcode == frames.TEXT and start.take(payload):
                return start.ping_every
    except TimeoutError:
        raise SessionError(
            "it opened a WebSocket but no socket.io session; is WORKER_ALGORITHM_PROTOCOL=socket "
            "set for HKube's worker too?"
        ) from None


def _read_frame(stream: ByteStream) -> tuple[int, bytes]:
    first, length = _read_exactly(stream, 2)
    if length in _LENGTH_BYTES:
        length = int.from_bytes(_read_exactly(stream, _LENGTH_BYTES[length]), "big")
    if length > _MAX_BYTES:
        raise SessionError(f"it began with a message of {length:,} bytes, not with a session")
    return first & 0x0F, _read_exactly(stream, length)


def _read_exactly(stream: ByteStream, count: int) -> bytes:
    buffer = memoryview(bytearray(count))
    done = 0
    while done < count:
        taken = stream.recv_into(buffer[done:])
        if not taken:
            raise SessionError("it closed the connection before a socket.io session was open")
        done += taken
    return bytes(buffer)
