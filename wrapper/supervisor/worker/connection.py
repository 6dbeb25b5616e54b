"""One WebSocket connection to the worker, once it is open: read, send, close."""

from __future__ import annotations

import socket
import time
from typing import NamedTuple

from ...protocol.websocket import frames
from ..loop.outbox import Outbox, Stream
from ..loop.poller import Poller

_NORMAL_CLOSURE = 1000
_PROTOCOL_ERROR = 1002


class Closed(NamedTuple):
    """The connection is over.

    Attributes:
        reason: for the log.
    """

    reason: str


class Connection:
    """An open connection over a non-blocking stream.

    Args:
        stream: connected, the opening handshake done: a socket, or a `tls.TlsStream`.
        masked: mask what is sent (see `frames.frame_parts`).
        binary: send binary messages (bson, msgpack), not text.
    """

    def __init__(self, stream: Stream, masked: bool, binary: bool) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._reader = frames.MessageReader()
        self.outbox = Outbox(stream)
        self._masked = masked
        self._said_goodbye = False  # nothing may follow it
        self._opcode = frames.BINARY if binary else frames.TEXT
        # TLS holds back what it has decrypted: a short read does not mean that nothing is left.
        self._short_read_is_all = isinstance(stream, socket.socket)

    def fileno(self) -> int:
        """The file descriptor to wait on."""
        return self._stream.fileno()

    def read(self) -> tuple[list[bytes | bytearray], Closed | None]:
        """What the worker has sent; call it when the socket is readable.

        Returns:
            The payloads of whole messages, in order, and how the connection ended if it did.
        """
        payloads: list[bytes | bytearray] = []
        try:
            while True:
                space = self._reader.space()
                count = self._stream.recv_into(space)
                if not count:
                    return payloads, Closed("the worker closed the connection")
                for message in self._reader.filled(count):
                    closed = self._take(message, payloads)
                    if closed is not None:
                        return payloads, closed
                # A short read has emptied the socket: asking again would cost a system call.
                if count < len(space) and self._short_read_is_all:
                    return payloads, None
        except (BlockingIOError, InterruptedError):
            return payloads, None
        except frames.FrameError as error:
            self._say_goodbye(frames.close_payload(_PROTOCOL_ERROR))
            return payloads, Closed(f"the worker sent a broken WebSocket frame: {error}")
        except OSError as error:
            return payloads, Closed(f"the connection broke: {error.strerror or error}")

    def send(self, payload: bytes | bytearray) -> None:
        """Send a message, or as much of it as the socket takes now; the outbox keeps the rest.

        Raises:
            OSError: the connection is broken; `read` will say so too.
        """
        self.outbox.send(frames.frame_parts(self._opcode, payload, self._masked))

    def ping(self) -> None:
        """Keep proxies between us and the worker from closing an idle connection."""
        self._send_control(frames.PING, b"")

    def close(self, patience: float = 1.0) -> None:
        """Say goodbye and close.

        Args:
            patience: how long it may take to send what waits and to hear the worker's own
                goodbye, seconds. A socket closed with unread bytes resets the connection,
                and what the worker has not read by then is lost.
        """
        deadline = time.monotonic() + patience
        self._say_goodbye(frames.close_payload(_NORMAL_CLOSURE))
        poller = Poller()
        poller.watch(self, None, self.outbox)
        while self.outbox.waiting_bytes and (left := deadline - time.monotonic()) > 0:
            poller.wait(left)
        try:
            self._stream.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self._stream.settimeout(left)
                if not self._stream.recv_into(self._reader.space()):
                    break
        except OSError:
            pass  # it is gone already, or does not listen
        self._stream.close()

    def _take(
        self, message: frames.WebSocketMessage, payloads: list[bytes | bytearray]
    ) -> Closed | None:
        opcode, payload = message
        if opcode in (frames.TEXT, frames.BINARY):
            payloads.append(payload)
        elif opcode == frames.PING:
            self._send_control(frames.PONG, payload)
        elif opcode == frames.CLOSE:
            code, reason = frames.read_close(payload)
            self._say_goodbye(bytes(payload[:2]))
            text = f"the worker closed the connection with code {code}"
            return Closed(f"{text}: {reason}" if reason else text)
        return None

    def _say_goodbye(self, payload: bytes) -> None:
        if not self._said_goodbye:
            self._said_goodbye = True
            self._send_control(frames.CLOSE, payload)

    def _send_control(self, opcode: int, payload: bytes | bytearray) -> None:
        try:
            self.outbox.send(frames.frame_parts(opcode, payload, self._masked))
        except OSError:
            pass  # the next read tells the end of the connection with its reason
