"""The bare worker of the benchmarks: a blocking WebSocket server that adds almost no time.

It speaks just enough of RFC 6455: one client, unfragmented or fragmented data frames, masked or
not. Big frames are received into one buffer that is made once and kept, so that the server's own
page faults do not count against whoever is measured, and are unmasked only when they are looked at.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
from typing import Any

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
HEAD = 96  # bytes of a message that are searched for its command
SMALL = 65536
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class PeerClosed(ConnectionError):
    """The client ended the connection."""


class Message:
    """One received message, still masked; the command is read at once, the body on demand."""

    def __init__(self, body: memoryview | bytes, mask: bytes) -> None:
        self.size = len(body)
        self._body = body
        self._mask = mask
        head = bytes(xor(bytes(body[:HEAD]), mask))
        self.command = command_of(head)

    def payload(self) -> memoryview | bytes:
        """Return the unmasked bytes; for a big message, valid until the next big one arrives."""
        if any(self._mask):
            if len(self._body) > SMALL:
                self._body = unmask_big(self._body, self._mask)
            else:
                self._body = xor(bytes(self._body), self._mask)
            self._mask = b"\0\0\0\0"
        return self._body

    def json(self) -> Any:
        """Return the decoded message."""
        return json.loads(bytes(self.payload()))


class Peer:
    """The one connected client."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pending = b""
        self._big = bytearray()
        self._shake_hands()

    def send(self, payload: bytes) -> None:
        """Send one encoded text message."""
        size = len(payload)
        if size < 126:
            self._socket.sendall(bytes((0x81, size)) + payload)
        elif size < SMALL:
            self._socket.sendall(b"\x81\x7e" + size.to_bytes(2, "big") + payload)
        else:
            self._socket.sendall(b"\x81\x7f" + size.to_bytes(8, "big"), socket.MSG_MORE)
            self._socket.sendall(payload)

    def receive(self) -> Message:
        """Return the next message, which may be ``alive``; answer pings."""
        while True:
            final, opcode, mask, size = self._frame_head()
            if size > SMALL:
                body: memoryview | bytes = self._read_big(size)
            else:
                body = self._read(size)
            if opcode == CLOSE:
                raise PeerClosed(f"the client closed: {bytes(xor(bytes(body), mask))!r}")
            if opcode == PING:
                self._socket.sendall(bytes((0x80 | PONG, size)) + xor(bytes(body), mask))
            elif opcode != PONG:
                if not final:
                    raise ValueError("the bare server takes no fragmented messages")
                return Message(body, mask)

    def expect(self, command: str) -> Message:
        """Return the next message except ``alive``; it must have this command."""
        while True:
            message = self.receive()
            if message.command == command:
                return message
            if message.command != "alive":
                text = bytes(message.payload()[:2000])
                raise ValueError(f"expected {command!r}, the client sent {text!r}")

    def reserve(self, size: int) -> None:
        """Allocate the buffer for big messages and touch its pages before the clock starts."""
        if len(self._big) < size:
            self._big = bytearray(b"\1") * size

    def close(self) -> None:
        """End the connection without a closing handshake."""
        self._socket.close()

    def _shake_hands(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            data = self._socket.recv(4096)
            if not data:
                raise PeerClosed("the client closed before its handshake was whole")
            request += data
        head, _, self._pending = request.partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        key = {name.lower(): value for name, value in lines.items()}[b"sec-websocket-key"]
        accept = base64.b64encode(hashlib.sha1(key.strip() + GUID).digest())
        self._socket.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def _frame_head(self) -> tuple[int, int, bytes, int]:
        first, second = self._read(2)
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(self._read(2), "big")
        elif size == 127:
            size = int.from_bytes(self._read(8), "big")
        mask = self._read(4) if second & 0x80 else b"\0\0\0\0"
        return first & 0x80, first & 0x0F, mask, size

    def _read(self, size: int) -> bytes:
        while len(self._pending) < size:
            data = self._socket.recv(SMALL)
            if not data:
                raise PeerClosed("the client went away")
            self._pending = self._pending + data if self._pending else data
        data, self._pending = self._pending[:size], self._pending[size:]
        return data

    def _read_big(self, size: int) -> memoryview:
        self.reserve(size)
        view = memoryview(self._big)[:size]
        have = min(size, len(self._pending))
        view[:have] = self._pending[:have]
        self._pending = self._pending[have:]
        while have < size:
            count = self._socket.recv_into(view[have:])
            if not count:
                raise PeerClosed("the client went away in the middle of a message")
            have += count
        return view


class Listener:
    """Waits for clients on a free port of the loopback interface; refuses them until `listen`."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def listen(self) -> None:
        """Take clients from now on."""
        self._socket.listen()

    def accept(self, timeout: float) -> Peer:
        """Return the next client, after its handshake.

        Args:
            timeout: seconds to wait for it.

        Raises:
            TimeoutError: nobody came.
        """
        self._socket.settimeout(timeout)
        connection, _ = self._socket.accept()
        connection.settimeout(None)
        return Peer(connection)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def command_of(head: bytes) -> str:
    """Return the command in the first bytes of a JSON message; every client writes it first."""
    _, _, rest = head.partition(b'"command":')
    return rest.lstrip(b' "').partition(b'"')[0].decode()


def xor(data: bytes, mask: bytes) -> bytes:
    """Mask or unmask a small piece."""
    size = len(data)
    stream = (mask * (size // 4 + 1))[:size]
    number = int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")
    return number.to_bytes(size, "little")


def unmask_big(data: memoryview | bytes, mask: bytes) -> bytes:
    """Unmask tens of megabytes, in C if the package ``websockets`` is installed."""
    try:
        from websockets.speedups import apply_mask
    except ImportError:
        return xor(bytes(data), mask)
    return bytes(apply_mask(bytes(data), mask))
