"""An open WebSocket connection to the worker: read, send, close."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from ...protocol.websocket import frames
from ..loop.outbox import ByteStream, Outbox
from ..loop.poller import Poller
from .unsent import Message

# What one round of the loop takes. A worker that sends without a pause must not silence `alive`.
_MAX_READS = 16
_MAX_MESSAGES = 2000
_NORMAL_CLOSURE = 1000
_PROTOCOL_ERROR = 1002


class Closed(NamedTuple):
    """The connection has ended.

    Attributes:
        reason: for the log.
    """

    reason: str


class Connection:
    """An open connection over a non-blocking stream.

    Args:
        stream: a socket or a `tls.TlsStream`, after the opening handshake.
        masked: mask what is sent (see `frames.frame_parts`).
        binary: send binary messages (bson, msgpack), not text.
    """

    def __init__(self, stream: ByteStream, masked: bool, binary: bool) -> None:
        stream.setblocking(False)
        self._stream = stream
        self._reader = frames.MessageReader()
        self.outbox = Outbox(stream)
        self._masked = masked
        self._said_goodbye = False  # a goodbye must be the last message
        self._given_bytes = 0
        self._partly_sent: deque[tuple[int, Message]] = deque()  # each with its end in the stream
        self._waiting_pong: tuple[int, bytes] | None = None  # the newest alone, with its opcode
        self.last_pong = b""
        self.has_received = False  # the last `read` has read something
        self._opcode = frames.BINARY if binary else frames.TEXT
        # TLS buffers what it has decrypted, so a short read does not mean that nothing is left.
        self._short_read_is_all = isinstance(stream, socket.socket)
        self._decrypted: Callable[[], int] = getattr(stream, "pending", lambda: 0)

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return self._stream.fileno()

    def read(self) -> tuple[list[bytes | bytearray], Closed | None]:
        """Read what the worker has sent; call this when the socket is readable.

        Returns:
            The payloads of complete messages, in order, and how the connection ended if it did.
        """
        payloads: list[bytes | bytearray] = []
        self.has_received = False
        reads = 0
        try:
            while True:
                reads += 1
                space = self._reader.space()
                room = len(space)
                count = self._stream.recv_into(space)
                if not count:
                    return payloads, Closed("the worker closed the connection")
                self.has_received = True
                for message in self._reader.filled(count):
                    closed = self._take(message, payloads)
                    if closed is not None:
                        return payloads, closed
                # A short read has emptied the socket: another one would waste a system call.
                if count < room and self._short_read_is_all:
                    return payloads, None
                # The rest makes the socket readable again, unless TLS has decrypted it already.
                is_enough = reads >= _MAX_READS or len(payloads) >= _MAX_MESSAGES
                if is_enough and not self._decrypted():
                    return payloads, None
        except (BlockingIOError, InterruptedError):
            return payloads, None
        except frames.FrameError as error:
            return payloads, self._refuse(f"the worker sent a broken WebSocket frame: {error}")
        except OSError as error:
            return payloads, Closed(f"the connection broke: {error.strerror or error}")

    def send(self, message: Message) -> None:
        """Send what the socket takes of a message now; the outbox keeps the rest.

        Never raises: `read` reports a broken connection, and `give_up` returns the message.
        """
        outbox = self.outbox
        self._send_payload(message.payload)
        if outbox.waiting_bytes or outbox.is_broken:
            self._forget_sent()
            self._partly_sent.append((self._given_bytes, message))
        elif self._partly_sent:
            self._partly_sent.clear()

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping: to keep proxies from closing the connection, or to see what is read.

        The worker's answer becomes `last_pong` after it has read all messages before the ping.
        """
        self._send_frame(frames.PING, payload)

    def release_sent(self) -> None:
        """Release the messages that went out whole: they may be large. Then answer a ping."""
        if self._partly_sent:
            self._forget_sent()
        if self._waiting_pong is not None and not self.outbox.waiting_bytes:
            waiting, self._waiting_pong = self._waiting_pong, None
            self._send_frame(*waiting)

    def give_up(self) -> list[Message]:
        """Send nothing more.

        Returns:
            The messages that did not go out whole, so that the worker cannot have read them.
        """
        self.outbox.discard()
        self._forget_sent()
        unsent = [message for _, message in self._partly_sent]
        self._partly_sent.clear()
        return unsent

    def close(self, patience: float = 1.0) -> None:
        """Say goodbye and close.

        Args:
            patience: seconds to send what waits and to receive the worker's goodbye. Closing a
                socket that has unread bytes resets the connection, and the worker loses what it
                has not read by then.
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
            pass  # the worker is gone already, or does not read
        self._stream.close()

    def _send_payload(self, payload: bytes | bytearray) -> None:
        self._send_frame(self._opcode, payload)

    def _take(
        self, message: frames.WebSocketMessage, payloads: list[bytes | bytearray]
    ) -> Closed | None:
        opcode, payload = message
        if opcode in (frames.TEXT, frames.BINARY):
            payloads.append(payload)
        elif opcode == frames.PING:
            self._answer_ping(frames.PONG, payload)
        elif opcode == frames.PONG:
            self.last_pong = bytes(payload)
        elif opcode == frames.CLOSE:
            code, reason = frames.read_close(payload)
            self._say_goodbye(bytes(payload[:2]))
            text = f"the worker closed the connection with code {code}"
            return Closed(f"{text}: {reason}" if reason else text)
        return None

    def _refuse(self, reason: str) -> Closed:
        """End the connection: what came over it is against the protocol."""
        self._say_goodbye(frames.close_payload(_PROTOCOL_ERROR))
        return Closed(reason)

    def _answer_ping(self, opcode: int, payload: bytes | bytearray) -> None:
        if self.outbox.waiting_bytes:
            # A worker that does not read gets the answer to its newest ping, once it reads.
            self._waiting_pong = opcode, bytes(payload)
        else:
            self._waiting_pong = None
            self._send_frame(opcode, payload)

    def _say_goodbye(self, payload: bytes) -> None:
        if not self._said_goodbye:
            self._said_goodbye = True
            self._send_frame(frames.CLOSE, payload)

    def _send_frame(self, opcode: int, payload: bytes | bytearray) -> None:
        parts = frames.frame_parts(opcode, payload, self._masked)
        for part in parts:
            self._given_bytes += len(part)
        try:
            self.outbox.send(parts)
        except OSError:
            pass  # the next read reports the end of the connection, with its reason

    def _forget_sent(self) -> None:
        """Forget the messages that the kernel has taken whole."""
        taken = self._given_bytes - self.outbox.waiting_bytes - self.outbox.lost_bytes
        while self._partly_sent and self._partly_sent[0][0] <= taken:
            self._partly_sent.popleft()
