"""Opens a connection to the worker.

Name lookup, TCP, TLS and the opening handshake block, so they run in a short-lived thread, which
reports the outcome through a callback.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ...protocol.websocket import handshake
from ..loop.outbox import ByteStream

if TYPE_CHECKING:
    from ...config.settings import Config

HANDSHAKE_TIMEOUT = 10.0  # seconds

_PEEK_PAUSE = 0.001  # seconds
_LOOPBACK = ("localhost", "::1")

# OpenSSL's words for an answer that is no TLS; they differ from version to version.
_NOT_TLS = frozenset(("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"))


class ConnectionTarget(NamedTuple):
    """The worker's address.

    Attributes:
        url: the whole URL, with its query.
        host: the URL's host.
        port: the URL's port.
        tls: the URL begins with wss.
        socketio: a socket.io session is opened over the WebSocket.
    """

    url: str
    host: str
    port: int
    tls: bool
    socketio: bool = False

    @classmethod
    def of(cls, config: Config) -> ConnectionTarget:
        """Return the address that the settings name."""
        is_tls = config.url.startswith("wss:")
        return cls(config.url, config.host, config.port, is_tls, config.socketio)

    @property
    def is_loopback(self) -> bool:
        """Whether the worker is on this machine, and needs neither proxy nor masking."""
        return self.host in _LOOPBACK or self.host.startswith("127.")


class Opened(NamedTuple):
    """The connection is open.

    Attributes:
        stream: what the messages travel over.
        ping_every: seconds between two pings that a socket.io server asks for.
    """

    stream: ByteStream
    ping_every: float | None = None


class Refused(NamedTuple):
    """The connection could not be opened.

    Attributes:
        reason: for the log.
        nothing_listens: no program listens at the address.
    """

    reason: str
    nothing_listens: bool = False


def open_in_thread(target: ConnectionTarget, report: Callable[[Opened | Refused], None]) -> None:
    """Try once to open a connection; the thread calls `report` with the outcome."""
    thread = threading.Thread(
        target=lambda: report(open_connection(target)), name="connect", daemon=True
    )
    thread.start()


def open_connection(target: ConnectionTarget) -> Opened | Refused:
    """Open a connection, including all opening handshakes; blocks."""
    opener = _open_plain if target.is_loopback and not target.tls else _open_by_library
    try:
        stream = opener(target)
        return _open_socketio(stream) if target.socketio else Opened(stream)
    # websocket-client raises what its parts raise: its own errors, OSError, ValueError, …
    except Exception as error:
        return Refused(_reason(error), isinstance(error, ConnectionRefusedError))


def _open_plain(target: ConnectionTarget) -> ByteStream:
    host = target.host.encode()  # as bytes: a str makes Python import its codec for domain names
    sock = socket.create_connection((host, target.port), timeout=HANDSHAKE_TIMEOUT)  # type: ignore[arg-type]
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
    """Read the server's response, but none of the frames that may follow it immediately."""
    deadline = time.monotonic() + HANDSHAKE_TIMEOUT
    seen = b""
    while True:
        # Peek first, then read exactly the response: the frames stay in the socket.
        seen = sock.recv(65536, socket.MSG_PEEK)
        if not seen:
            raise handshake.HandshakeError(
                "it closed the connection without an answer; "
                "is WORKER_ALGORITHM_PROTOCOL the same for HKube's worker?"
            )
        length = handshake.response_length(seen)
        if length is not None:
            return sock.recv(length, socket.MSG_WAITALL)
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_PEEK_PAUSE)


def _open_by_library(target: ConnectionTarget) -> ByteStream:
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


def _open_socketio(stream: ByteStream) -> Opened:
    from .socketio_opening import open_session

    try:
        return Opened(stream, open_session(stream))
    except BaseException:
        stream.close()
        raise


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return f"no answer within {HANDSHAKE_TIMEOUT:.0f} s"
    if isinstance(error, socket.gaierror):
        return f"unknown host name: {error.strerror}"
    if isinstance(error, handshake.HandshakeError):
        return str(error)
    # Of an ssl.SSLError; an import of `ssl` would take 10 ms and 3 MB where it is not used.
    untrusted = getattr(error, "verify_message", None)
    if untrusted is not None:
        return (
            f"its certificate is not trusted: {untrusted.rstrip('.')}. SSL_CERT_FILE can name a "
            "file of certificates to trust"
        )
    if getattr(error, "reason", None) in _NOT_TLS:
        return "it does not speak TLS: should the URL begin with ws:// rather than wss://?"
    status = getattr(error, "status_code", None)
    if status is not None:
        return f"it answered with HTTP status {status}, not with a WebSocket"
    return f"{type(error).__name__}: {error}".rstrip(": ")
