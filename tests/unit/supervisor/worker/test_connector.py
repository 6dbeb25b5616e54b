"""Opening connections, to real servers of all sorts."""

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
    BackOff,
    ConnectionTarget,
    Opened,
    Refused,
    open_connection,
)
from wrapper.supervisor.worker.tls import TlsStream


# ------------------------------------------------------------------------------ back-off --
def test_delays_grow_up_to_a_limit() -> None:
    back_off = BackOff(lambda: 1.0)

    delays = [back_off.next_delay() for _ in range(15)]

    assert delays[:4] == pytest.approx([0.1, 0.16, 0.256, 0.4096])
    assert delays[-3:] == [5.0, 5.0, 5.0]


def test_delays_are_spread_over_all_of_their_range() -> None:
    parts = iter([0.0, 0.5, 0.25])
    back_off = BackOff(lambda: next(parts))

    assert [back_off.next_delay() for _ in range(3)] == pytest.approx([0.0, 0.08, 0.064])


def test_the_jitter_is_random() -> None:
    assert len({BackOff().next_delay() for _ in range(20)}) > 1


@pytest.mark.parametrize(("seconds", "next_delay"), [(4.99, 5.0), (5.0, 0.1)])
def test_a_connection_that_held_starts_anew(seconds: float, next_delay: float) -> None:
    back_off = BackOff(lambda: 1.0)
    for _ in range(20):
        back_off.next_delay()

    back_off.connected_for(seconds)

    assert back_off.next_delay() == pytest.approx(next_delay)


# ------------------------------------------------------------------------------- servers --
@contextmanager
def websocket_server(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, Queue[str]]]:
    """A server that tells a greeting, and the paths it was asked for."""
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
    """A server that does with its first connection what it is told to."""
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
    """The first message over an opened connection, which is closed then."""
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
def test_the_worker_is_there(host: str) -> None:
    with websocket_server() as (port, paths):
        outcome = open_connection(target(port, host))

        assert isinstance(outcome, Opened)
        assert isinstance(outcome.stream, socket.socket)
        assert outcome.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert greeting_of(outcome) == b"welcome"
        assert paths.get(timeout=LIMIT) == "/?storage=v1&encoding=json"


def test_a_worker_elsewhere_is_reached_by_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector.ConnectionTarget, "is_loopback", False)
    monkeypatch.setenv("NO_PROXY", "*")
    with websocket_server() as (port, paths):
        outcome = open_connection(target(port))
        assert isinstance(outcome, Opened)
        assert isinstance(outcome.stream, socket.socket)
        assert outcome.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert greeting_of(outcome) == b"welcome"
        assert paths.get(timeout=LIMIT) == "/?storage=v1&encoding=json"


def test_a_proxy_is_not_asked_for_a_worker_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_what_is_this_machine(host: str, is_loopback: bool) -> None:
    assert target(3000, host).is_loopback is is_loopback


def test_a_message_right_behind_the_handshake_is_not_lost() -> None:
    """The debug gateway sends a task that waits at once."""
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
def test_nothing_listens() -> None:
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
def test_what_answers_is_no_worker(answer: bytes, reason: str) -> None:
    def behave(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(answer)

    with raw_server(behave) as port:
        assert reason in refused(target(port))


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 101 Switching"])
def test_a_silent_server_is_not_waited_for_for_ever(
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


def test_a_host_that_has_no_address() -> None:
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


def test_a_connection_over_tls(
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


def test_a_certificate_that_nobody_vouches_for(
    server_context: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")

    def behave(sock: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            server_context.wrap_socket(sock, server_side=True)

    with raw_server(behave) as port:
        assert "CERTIFICATE_VERIFY_FAILED" in refused(target(port, "localhost", "wss"))


# ------------------------------------------------------------------------------ the thread --
def test_the_outcome_is_told_from_a_thread() -> None:
    outcomes: Queue[Opened | Refused] = Queue()

    connector.open_in_thread(target(unused_port()), outcomes.put)

    assert outcomes.get(timeout=LIMIT) == Refused("nothing listens there")


def test_whatever_goes_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that ended without a word would leave the wrapper unconnected for ever."""
    import sys

    monkeypatch.setitem(sys.modules, "websocket", None)
    outcomes: Queue[Opened | Refused] = Queue()

    connector.open_in_thread(target(1, "elsewhere"), outcomes.put)

    outcome = outcomes.get(timeout=LIMIT)
    assert isinstance(outcome, Refused)
    assert "websocket" in outcome.reason
