"""Opening connections to real servers of many kinds."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest
import trustme
from websockets.sync.server import ServerConnection, serve

from tests.unit.support.peer import LIMIT, read_all
from wrapper.supervisor.worker import connector
from wrapper.supervisor.worker.connection import Connection
from wrapper.supervisor.worker.connector import (
    ConnectionTarget,
    Opened,
    Refused,
    open_connection,
)
from wrapper.supervisor.worker.tls import TlsStream


# ------------------------------------------------------------------------------- servers --
@contextmanager
def websocket_server(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, Queue[str]]]:
    """Run a server that sends a greeting; yield its port and the requested paths."""
    paths: Queue[str] = Queue()

    def greet(connection: ServerConnection) -> None:
        assert connection.request
        paths.put(connection.request.path)
        connection.send("welcome")
        for _ in connection:
            pass

    with serve(greet, "127.0.0.1", 0, ssl=context) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server.socket.getsockname()[1], paths
        finally:
            server.shutdown()
            serving.join(LIMIT)


@contextmanager
def raw_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that handles its first connection with a function; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)

        def accept() -> None:
            sock, _ = server.accept()
            with sock:
                sock.settimeout(LIMIT)
                behave(sock)

        accepting = Thread(target=accept)
        accepting.start()
        yield server.getsockname()[1]
        accepting.join(LIMIT)


def target(port: int, host: str = "127.0.0.1", scheme: str = "ws") -> ConnectionTarget:
    url = f"{scheme}://{host}:{port}/?storage=v1&encoding=json"
    return ConnectionTarget(url, host, port, tls=scheme == "wss")


def refused(at: ConnectionTarget) -> str:
    outcome = open_connection(at)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


def greeting_of(outcome: Opened | Refused) -> bytes | bytearray:
    """Return the first message over an open connection, and close it."""
    assert isinstance(outcome, Opened), outcome
    connection = Connection(outcome.stream, masked=True, binary=False)
    [greeting] = read_all(connection, 1)
    connection.close(patience=LIMIT)
    return greeting


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


# ---------------------------------------------------------------------------- it is there --
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_connection_is_opened(host: str) -> None:
    with websocket_server() as (port, paths):
        outcome = open_connection(target(port, host))

        assert isinstance(outcome, Opened)
        assert isinstance(outcome.stream, socket.socket)
        assert outcome.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert greeting_of(outcome) == b"welcome"
        assert paths.get(timeout=LIMIT) == "/?storage=v1&encoding=json"


def test_remote_worker_is_reached_with_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector.ConnectionTarget, "is_loopback", False)
    monkeypatch.setenv("NO_PROXY", "*")
    with websocket_server() as (port, paths):
        outcome = open_connection(target(port))
        assert isinstance(outcome, Opened)
        assert isinstance(outcome.stream, socket.socket)
        assert outcome.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert greeting_of(outcome) == b"welcome"
        assert paths.get(timeout=LIMIT) == "/?storage=v1&encoding=json"


def test_proxy_is_not_used_for_a_local_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{unused_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with websocket_server() as (port, _):
        assert greeting_of(open_connection(target(port))) == b"welcome"


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("worker", False),
        ("localhost.example", False),
    ],
)
def test_loopback_hosts(host: str, is_loopback: bool) -> None:
    assert target(3000, host).is_loopback is is_loopback


def test_message_right_after_the_handshake_is_not_lost() -> None:
    """The debug gateway immediately sends a task that waits."""
    from websockets.http11 import Request
    from websockets.server import ServerProtocol

    def behave(sock: socket.socket) -> None:
        server = ServerProtocol()
        server.receive_data(sock.recv(65536))
        [request] = server.events_received()
        assert isinstance(request, Request)
        server.send_response(server.accept(request))
        server.send_text(b"initialize")
        sock.sendall(b"".join(server.data_to_send()))
        sock.recv(65536)

    with raw_server(behave) as port:
        assert greeting_of(open_connection(target(port))) == b"initialize"


# --------------------------------------------------------------------------- it is refused --
def test_closed_port_is_reported() -> None:
    assert refused(target(unused_port())) == "nothing listens there"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP status 404"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "HTTP status 200"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "does not match our key",
        ),
        (b"220 mail.example ESMTP\r\n\r\n", "does not speak HTTP"),
        (b"", "it closed the connection"),
    ],
)
def test_server_that_is_not_a_worker_is_reported(answer: bytes, reason: str) -> None:
    def behave(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)

    with raw_server(behave) as port:
        assert reason in refused(target(port))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 Switching"])
def test_wait_for_a_silent_server_is_limited(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "HANDSHAKE_TIMEOUT", 0.05)

    def behave(sock: socket.socket) -> None:
        sock.sendall(answer)
        with suppress(OSError):
            while sock.recv(65536):
                pass

    with raw_server(behave) as port:
        assert "no answer within" in refused(target(port))


def test_unknown_host_is_reported() -> None:
    assert refused(target(1, "no such host.invalid"))


# ---------------------------------------------------------------------------------- TLS --
@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def test_connection_over_tls(
    authority: trustme.CA,
    server_context: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("WEBSOCKET_CLIENT_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("NO_PROXY", "*")
    with websocket_server(server_context) as (port, paths):
        outcome = open_connection(target(port, "localhost", "wss"))

        assert isinstance(outcome, Opened)
        assert isinstance(outcome.stream, TlsStream)
        assert greeting_of(outcome) == b"welcome"
        assert paths.get(timeout=LIMIT) == "/?storage=v1&encoding=json"


def test_untrusted_certificate_is_reported(
    server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")

    def behave(sock: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            server_context.wrap_socket(sock, server_side=True)

    with raw_server(behave) as port:
        assert "its certificate is not trusted: unable to get" in refused(
            target(port, "localhost", "wss")
        )


# ------------------------------------------------------------------------------ the thread --
def test_outcome_is_reported_from_a_thread() -> None:
    outcomes: Queue[Opened | Refused] = Queue()

    connector.open_in_thread(target(unused_port()), outcomes.put)

    assert outcomes.get(timeout=LIMIT) == Refused("nothing listens there", nothing_listens=True)


def test_any_error_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the thread ended silently, the wrapper would never connect."""
    import sys

    monkeypatch.setitem(sys.modules, "websocket", None)
    outcomes: Queue[Opened | Refused] = Queue()

    connector.open_in_thread(target(1, "elsewhere"), outcomes.put)

    outcome = outcomes.get(timeout=LIMIT)
    assert isinstance(outcome, Refused)
    assert "websocket" in outcome.reason
