"""Opening a connection to the worker, again and again until it is there.

Name look-up, TCP, TLS and the opening handshake block, so they have a short-lived thread of
their own; the supervisor's loop hears of the outcome through a callback.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from ...protocol.websocket import handshake
from ..loop.outbox import Stream

# A worker that answers, but not with a WebSocket, or not at all, is tried again after this.
HANDSHAKE_TIMEOUT = 10.0

_FIRST_DELAY = 0.1
_GROWTH = 1.6
_LONGEST_DELAY = 5.0
_STABLE_AFTER = 5.0
_PEEK_PAUSE = 0.001
_LOOPBACK = ("localhost", "::1")


class ConnectionTarget(NamedTuple):
    """Where the worker is.

    Attributes:
        url: whole, with its query.
        host: the URL's host.
        port: the URL's port.
        tls: the URL begins with wss.
    """

    url: str
    host: str
    port: int
    tls: bool

    @property
    def is_loopback(self) -> bool:
        """The worker is on this machine: no proxy, no masking."""
        return self.host in _LOOPBACK or self.host.startswith("127.")


class Opened(NamedTuple):
    """The connection is open."""

    stream: Stream


class Refused(NamedTuple):
    """It could not be opened.

    Attributes:
        reason: for the log.
    """

    reason: str


class BackOff:
    """How long to wait before the next try: 0.1 s × 1.6 up to 5 s, with full jitter.

    The jitter keeps the pods of a whole cluster from coming back in one instant.
    """

    def __init__(self, rand: Callable[[], float] = random.random) -> None:
        self._rand = rand
        self._longest = _FIRST_DELAY

    def next_delay(self) -> float:
        """Seconds to wait."""
        delay = self._longest * self._rand()
        self._longest = min(self._longest * _GROWTH, _LONGEST_DELAY)
        return delay

    def connected_for(self, seconds: float) -> None:
        """A connection has ended that held so long: only a stable one makes us hasty again."""
        if seconds >= _STABLE_AFTER:
            self._longest = _FIRST_DELAY


def open_in_thread(target: ConnectionTarget, report: Callable[[Opened | Refused], None]) -> None:
    """Try once to open a connection; `report` is called from the thread."""
    thread = threading.Thread(
        target=lambda: report(open_connection(target)), name="connect", daemon=True
    )
    thread.start()


def open_connection(target: ConnectionTarget) -> Opened | Refused:
    """Open a connection, the WebSocket's opening handshake included; blocks."""
    opener = _open_plain if target.is_loopback and not target.tls else _open_by_library
    try:
        return Opened(opener(target))
    # websocket-client raises what its parts raise: its own errors, OSError, ValueError, …
    except Exception as error:
        return Refused(_in_words(error))


def _open_plain(target: ConnectionTarget) -> Stream:
    sock = socket.create_connection((target.host, target.port), timeout=HANDSHAKE_TIMEOUT)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = handshake.new_key()
        path = "/" + target.url.partition("://")[2].partition("/")[2]
        sock.sendall(handshake.request(target.host, target.port, path, key))
        handshake.check_response(_read_response(sock), key)
    except BaseException:
        sock.close()
        raise
    return sock


def _read_response(sock: socket.socket) -> bytes:
    """The server's answer, and not a byte of the frames that may follow it at once."""
    deadline = time.monotonic() + HANDSHAKE_TIMEOUT
    seen = b""
    while True:
        # First a look, then the taking: what is not ours stays in the socket.
        seen = sock.recv(65536, socket.MSG_PEEK)
        if not seen:
            raise handshake.HandshakeError("it closed the connection in place of an answer")
        length = handshake.response_length(seen)
        if length is not None:
            return sock.recv(length, socket.MSG_WAITALL)
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_PEEK_PAUSE)


def _open_by_library(target: ConnectionTarget) -> Stream:
    import websocket

    client = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
    client.connect(target.url, timeout=HANDSHAKE_TIMEOUT)  # type: ignore[no-untyped-call]
    sock = client.sock
    assert sock is not None
    if target.tls:
        from ssl import SSLSocket

        from .tls import TlsStream

        assert isinstance(sock, SSLSocket)
        return TlsStream(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _in_words(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return f"no answer within {HANDSHAKE_TIMEOUT:.0f} s"
    if isinstance(error, socket.gaierror):
        return f"the host's name is not known: {error.strerror}"
    if isinstance(error, handshake.HandshakeError):
        return str(error)
    status = getattr(error, "status_code", None)
    if status is not None:
        return f"it answered with HTTP status {status}, not with a WebSocket"
    return f"{type(error).__name__}: {error}".rstrip(": ")
