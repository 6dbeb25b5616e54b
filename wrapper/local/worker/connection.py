"""One WebSocket connection of an algorithm, with its encoding."""

from __future__ import annotations

import http
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from ...errors import WrapperError
from ...protocol.encoding.encoding import Encoding, get_encoding
from .call_messages import Message

MAX_PAYLOAD_BYTES = 100_000_000
"""The largest message that HKube's worker accepts."""

CONNECTION_LOST = "the connection was lost before the task's end"
"""Reason for a task that was lost with its connection, if nothing more is known."""

CLOSE_TIMEOUT = 1.0
"""Seconds that a closing handshake may take on this machine."""


@dataclass(frozen=True, eq=False)
class AlgorithmConnection:
    """An open connection; `send` may be called from any thread."""

    connection: ServerConnection
    encoding: Encoding

    def receive(self) -> bytes | None:
        """Wait for the next frame; None once the connection is closed."""
        try:
            return self.connection.recv(decode=False)
        except ConnectionClosed:
            return None

    def encode(self, message: Message, subject: str) -> bytes:
        """Encode a message as a frame.

        Args:
            subject: what an error message calls the message.

        Raises:
            WrapperError: the encoding cannot represent the message.
        """
        return self.encoding.encode(message, subject)

    def send(self, message: Message, subject: str = "message") -> None:
        """Send a message; see `encode` and `send_frame`."""
        self.send_frame(self.encode(message, subject))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame. `receive` reports a lost connection, not this method."""
        try:
            self.connection.send(frame, text=not self.encoding.binary)
        except ConnectionClosed:
            return

    def close(self) -> None:
        """Close the connection, if it is not closed yet."""
        self.connection.close()

    @property
    def lost_reason(self) -> str:
        """Why the task on this closed connection did not complete."""
        ours = self.connection.protocol.close_sent
        if ours is not None and ours.code == CloseCode.MESSAGE_TOO_BIG:
            limit = f"{MAX_PAYLOAD_BYTES:,} bytes"
            return f"its message is larger than {limit}, which HKube's worker refuses"
        return CONNECTION_LOST


def accept_connection(connection: ServerConnection, mode: str = "v1") -> AlgorithmConnection | None:
    """Return the algorithm's connection; close it and return None if its URL is not supported.

    Args:
        connection: the algorithm's WebSocket.
        mode: the storage mode, `v1` or `v3`.
    """
    path = connection.request.path if connection.request else ""
    query = parse_qs(urlsplit(path).query)
    storage = query.get("storage", ["v1"])[0]
    if storage != mode:
        hint = "; for v3: --storage fs" if mode == "v1" else ""
        connection.close(
            CloseCode.POLICY_VIOLATION,
            f"this local worker has storage={mode}, not {storage[:20]}{hint}",
        )
        return None
    try:
        encoding = get_encoding(query.get("encoding", ["json"])[0])
    except (WrapperError, ValueError, KeyError) as error:
        connection.close(CloseCode.POLICY_VIOLATION, str(error)[:100])
        return None
    return AlgorithmConnection(connection, encoding)


class AlgorithmServer:
    """A server on 127.0.0.1, with a thread that accepts and one for each connection."""

    def __init__(
        self,
        handler: Callable[[ServerConnection], None],
        port: int,
        refuse: Callable[[Request], str],
        listening: socket.socket | None = None,
    ) -> None:
        """Bind the port. Connections are accepted after `start`.

        Args:
            handler: serves one connection, in the connection's thread.
            port: TCP port; 0 picks a free one.
            refuse: says why a request is refused; returns an empty text to accept it.
            listening: a socket that listens already; None: bind the port.
        """

        def admit(connection: ServerConnection, request: Request) -> Response | None:
            reason = refuse(request)
            return connection.respond(http.HTTPStatus.FORBIDDEN, f"{reason}\n") if reason else None

        self._server = serve(
            handler,
            None if listening is not None else "127.0.0.1",
            None if listening is not None else port,
            sock=listening,
            compression=None,
            max_size=MAX_PAYLOAD_BYTES,
            process_request=admit,
            ping_interval=None,  # HKube's worker sends none
            close_timeout=CLOSE_TIMEOUT,
        )
        self._thread = Thread(target=self._server.serve_forever, name="worker", daemon=True)
        self._closed = False

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._server.socket.getsockname()[1])

    def start(self) -> None:
        """Start to accept connections."""
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, and wait for the thread. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._server.shutdown()
        self._thread.join()
        for name in ("shutdown_watcher", "shutdown_notifier"):
            pipe_end = getattr(self._server, name, None)
            if isinstance(pipe_end, int):  # websockets before 17 leaves its pipe open
                os.close(pipe_end)
