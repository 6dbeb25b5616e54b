"""The scripted worker's connection: a real WebSocket server that records everything."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.free_ports import server_ports

from . import frames
from .events import ABSENT, CONNECTED, DISCONNECTED, JUNK, RECEIVED, SENT, Message, listing

WAIT = 20.0  # seconds; generous for immediate events, because machines are shared
_CLOSE_WITHIN = 10.0  # seconds
_SOCKETIO_OPEN = '0{"sid":"s1","upgrades":[],"pingInterval":60000,"pingTimeout":30000}'
_SOCKETIO_OWN = ("2", "41")  # a ping, a goodbye
Reply = tuple[str, Any]
_T = TypeVar("_T")
Answerer = Callable[[Message], "Reply | list[Reply] | None"]


class NoLinkError(AssertionError):
    """A test sends a message while no connection is open."""


class RecordingServer:
    """A WebSocket server with its own port and thread.

    Args:
        listening: False leaves the port closed (connections are refused) until `listen`.
        max_size: bytes; a larger message breaks the link, as the real worker does.
        tls: the server's certificate, for wss.
    """

    def __init__(
        self,
        *,
        listening: bool = True,
        max_size: int = 100_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answers: dict[str, Answerer] = {}
        self.events: list[Message] = []
        self.faults: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.refuse_with: int | None = None
        self._max_size = max_size
        self._tls = tls
        self._changed = threading.Condition()
        self._link: ServerConnection | None = None
        self._server: Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._socket: socket.socket | None = _bound(0)
        self.port: int = self._socket.getsockname()[1]
        if listening:
            self.listen()

    # --- the server ---------------------------------------------------------------------------

    @property
    def encoding(self) -> str:
        """The encoding that the newest connection asked for."""
        return self.queries[-1].get("encoding", "json") if self.queries else "json"

    @property
    def is_socketio(self) -> bool:
        """Whether the newest connection speaks socket.io."""
        return bool(self.paths) and self.paths[-1].startswith("/socket.io/")

    @property
    def connections(self) -> int:
        """The number of connections so far."""
        return len(self.paths)

    def listen(self) -> None:
        """Accept connections from now on."""

        async def begin() -> Server:
            quiet = logging.getLogger("scripted-worker")
            quiet.setLevel(logging.CRITICAL + 1)
            server: Server = await serve(
                self._serve,
                sock=self._socket or _bound(self.port),
                ssl=self._tls,
                compression=None,
                max_size=self._max_size,
                max_queue=None,
                ping_interval=None,
                close_timeout=1,
                process_request=self._refuse,
                logger=quiet,
            )
            return server

        self._server = self._call(begin())
        self._socket = None

    def stop_listening(self) -> None:
        """Refuse new connections; an open one stays."""
        if self._server is not None:
            self._server.close(close_connections=False)
            self._call(self._server.wait_closed() if self._link is None else asyncio.sleep(0))
            self._server = None
            self._socket = _bound(self.port)

    def close(self) -> None:
        """End the server, its connections and its thread."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            if self._link is not None:
                self._link.transport.abort()
            if self._server is not None:
                # Left alone, its task would be destroyed with the loop, which is a warning.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._server.wait_closed(), _CLOSE_WITHIN)

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._socket is not None:
            self._socket.close()

    def _call(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def _refuse(self, link: ServerConnection, request: Request) -> Response | None:
        return None if self.refuse_with is None else link.respond(self.refuse_with, "not now\n")

    async def _serve(self, link: ServerConnection) -> None:
        assert link.request is not None
        parts = urlsplit(link.request.path)
        self.paths.append(link.request.path)
        self.queries.append(dict(parse_qsl(parts.query)))
        self._link = link
        number = self.connections
        self._record(Message(time.monotonic(), CONNECTED, number))
        try:
            if self.is_socketio:
                await link.send(_SOCKETIO_OPEN)
                await link.send("40")
            async for raw in link:
                if self.is_socketio and raw in _SOCKETIO_OWN:
                    if raw == "2":
                        await link.send("3")
                    continue
                message = self._read(raw, number)
                self._record(message)
                if message.command in self.answers:
                    await self._answer(link, message)
        except ConnectionClosed:
            pass
        finally:
            if self._link is link:
                self._link = None
            self._record(Message(time.monotonic(), DISCONNECTED, number, data=link.close_code))

    async def _answer(self, link: ServerConnection, message: Message) -> None:
        replies = self.answers[str(message.command)](message)
        for command, data in [replies] if isinstance(replies, tuple) else replies or []:
            await self._transmit(link, command, data)

    def _read(self, raw: str | bytes, number: int) -> Message:
        try:
            if self.is_socketio and isinstance(raw, str):
                raw = frames.from_packet(raw)
            value = frames.decode(raw, self.encoding)
            command = value["command"]
            data, error = value.get("data", ABSENT), value.get("error", ABSENT)
        except Exception as fault:  # whatever it is, it would have crashed the real worker
            self.faults.append(f"a frame that kills the real worker: {fault!r}: {raw[:200]!r}")
            return Message(time.monotonic(), RECEIVED, number, raw=raw)
        return Message(time.monotonic(), RECEIVED, number, command, data, error, raw)

    def _record(self, message: Message) -> None:
        with self._changed:
            self.events.append(message)
            self._changed.notify_all()

    # --- to the algorithm ---------------------------------------------------------------------

    def send(self, command: str, data: Any = ABSENT) -> None:
        """Send a message; without `data`, leave out the key."""
        self._call(self._transmit(self._open_link(), command, data))

    async def _transmit(self, link: ServerConnection, command: str, data: Any) -> None:
        body = {"command": command} if data is ABSENT else {"command": command, "data": data}
        frame = frames.encode(body, self.encoding)
        if self.is_socketio:
            frame = frames.to_packet(command, frame)
        self._record(Message(time.monotonic(), SENT, self.connections, command, data))
        with contextlib.suppress(ConnectionClosed):
            await link.send(frame)

    def junk(self, raw: str | bytes | Iterable[str] | Iterable[bytes]) -> None:
        """Send a message unchanged; a list becomes fragments of one message."""
        whole = raw if isinstance(raw, (str, bytes)) else b"".join(_as_bytes(part) for part in raw)
        self._record(Message(time.monotonic(), JUNK, self.connections, raw=whole))
        self._call(self._open_link().send(raw))

    def junk_bytes(self, raw: bytes) -> None:
        """Write bytes directly into the TCP stream, bypassing the WebSocket."""
        self._record(Message(time.monotonic(), JUNK, self.connections, raw=raw))
        self._loop.call_soon_threadsafe(self._open_link().transport.write, raw)

    def ping(self) -> None:
        """Send a ping and wait for its pong."""

        async def both() -> None:
            await asyncio.wait_for(await self._open_link().ping(), WAIT)

        self._call(both())

    def drop(self) -> None:
        """Reset the TCP connection, as a killed worker does."""
        link = self._open_link()
        link.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._loop.call_soon_threadsafe(link.transport.abort)
        self._wait_closed()

    def stop_reading(self) -> None:
        """Leave what this connection receives in the kernel, as a busy worker does."""
        self._loop.call_soon_threadsafe(self._open_link().transport.pause_reading)

    def hang_up(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection with a WebSocket close frame."""
        self._call(self._open_link().close(code, reason))
        self._wait_closed()

    def _open_link(self) -> ServerConnection:
        link = self._link
        if link is None:
            raise NoLinkError(f"there is no connection\n{self.story()}")
        return link

    def _wait_closed(self) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: self._link is None, WAIT):
                raise NoLinkError(f"the connection does not close\n{self.story()}")

    def story(self) -> str:
        """Describe the session, for the message of a failing test."""
        return listing(list(self.events))


def _bound(port: int) -> socket.socket:
    """Return a socket bound to a port (0: a new one); it refuses connections until it listens."""
    while True:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind(("127.0.0.1", port or next(server_ports)))
        except OSError as error:
            bound.close()
            if port or error.errno != errno.EADDRINUSE:
                raise
        else:
            return bound


def _as_bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part
