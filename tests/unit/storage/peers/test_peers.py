"""Server and client of peers in one process; tests/e2e has the other tests."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator, Sequence
from queue import Queue
from threading import Thread
from time import monotonic
from typing import Protocol

import msgpack
import pytest
import zmq

from tests.free_ports import free_port
from wrapper.config.storage_settings import DiscoverySettings
from wrapper.storage.format.encoded import Encoded, decode_value, encode_value
from wrapper.storage.format.references import Peer, StoredReference
from wrapper.storage.peers.client import PeerClient
from wrapper.storage.peers.held_results import Held, HeldResults
from wrapper.storage.peers.server import PeerServer


def settings(port: int, **changes: object) -> DiscoverySettings:
    plain = DiscoverySettings(True, "127.0.0.1", port, 0, "msgpack", 10.0, 2.0, 400, 60.0)
    return plain._replace(**changes)  # type: ignore[arg-type]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = has_ipv6()


LIMIT = 20.0  # seconds
MOST = 10  # connections


class Serving:
    """A server with results."""

    def __init__(self, **changes: object) -> None:
        self.held = HeldResults(10_000_000)
        self.reports: Queue[float] = Queue()
        self.failures: Queue[Exception] = Queue()
        self.refusals: Queue[int] = Queue()
        while True:
            self.settings = settings(free_port(), **changes)
            self.server = PeerServer(
                self.settings, self.held, self.report, self.failures.put, MOST, self.refusals.put
            )
            try:
                self.server.start()
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            break
        self.peer = Peer("127.0.0.1", self.settings.port)

    def report(self) -> None:
        self.reports.put(monotonic())

    def hold(self, task: str, value: object, encoding: str = "msgpack") -> None:
        encoded = encode_value(value, encoding, "result")
        self.held.hold(task, Held(encoded.header, memoryview(bytes(encoded.payload))))

    def link(self, task: str) -> StoredReference:
        return StoredReference(f"b/{task}", peer=self.peer, task_id=task)


class Start(Protocol):
    """Starts a server that is closed after the test."""

    def __call__(self, **changes: object) -> Serving: ...


@pytest.fixture
def serve() -> Iterator[Start]:
    servings: list[Serving] = []

    def start(**changes: object) -> Serving:
        servings.append(Serving(**changes))
        return servings[-1]

    yield start
    for serving in servings:
        serving.server.close()


def ask(
    links: Sequence[StoredReference], warnings: list[str] | None = None, **changes: object
) -> dict[str, Encoded]:
    lines = [] if warnings is None else warnings
    client = PeerClient(settings(1, **changes), lines.append)
    try:
        return dict(client.ask(links))
    finally:
        client.close()


@pytest.mark.parametrize("encoding", ["msgpack", "bson", "json"])
def test_held_results_are_found_and_others_left_out(serve: Start, encoding: str) -> None:
    serving = serve(encoding=encoding)
    warnings: list[str] = []
    serving.hold("small", [1], "msgpack")
    serving.hold("error", {"hkube_error": "the user's own"}, "msgpack")
    serving.hold("large", bytes(3_000_000))
    tasks = ("small", "gone", "large", "error")
    found = ask([serving.link(task) for task in tasks], warnings, encoding=encoding)
    assert sorted(found) == ["b/large", "b/small"]
    assert decode_value(found["b/small"], "msgpack") == [1]
    assert decode_value(found["b/large"], "msgpack") == bytes(3_000_000)
    assert warnings == []


def test_many_peers_one_of_them_unreachable(serve: Start) -> None:
    servings = [serve() for _ in range(3)]
    links = []
    for number, serving in enumerate(servings):
        serving.hold(f"t{number}", number)
        links.append(serving.link(f"t{number}"))
    gone = Peer("127.0.0.1", free_port())
    links += [StoredReference(f"b/{task}", peer=gone, task_id=task) for task in ("x", "y")]
    links.append(StoredReference("b/bad", peer=Peer("a b", 5), task_id="bad"))
    warnings: list[str] = []
    begun = monotonic()
    found = ask(links, warnings, network_timeout=1.5)
    assert monotonic() - begun < 3  # one after another, they would take longer
    assert sorted(found) == ["b/t0", "b/t1", "b/t2"]
    assert len(warnings) == 2
    assert any("it did not answer in time; reading from the storage" in line for line in warnings)
    assert any("cannot connect to it" in line for line in warnings)


def test_more_peers_than_may_be_asked_at_once(serve: Start) -> None:
    serving = serve()
    serving.hold("t", 1)
    gone = [StoredReference(f"b/{n}", peer=Peer("127.0.0.1", 1), task_id=str(n)) for n in range(3)]
    gone = [
        link._replace(peer=Peer(f"127.0.0.{n + 2}", 1)) for n in range(150) for link in gone[:1]
    ]
    found = ask([*gone, serving.link("t")], network_timeout=1.0)
    assert sorted(found) == ["b/t"]


def test_no_peer_to_ask() -> None:
    assert ask([]) == {}
    assert ask([StoredReference("b/k")]) == {}


def test_serving_is_reported(serve: Start) -> None:
    serving = serve(serving_report_interval=0.05)
    serving.hold("t", 1)
    ask([serving.link("t")])
    first, second = serving.reports.get(timeout=10), serving.reports.get(timeout=10)
    assert second - first >= 0.04


ODD = [
    (zmq.REQ, [b"ping", b"more"]),
    (zmq.DEALER, [b"ping"]),  # no delimiter
    (zmq.DEALER, [b""]),
    (zmq.DEALER, [b"", b"ping", b"more"]),
    (zmq.DEALER, [b""] * 50),
]


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("kind, frames", ODD)
def test_invalid_message_does_not_end_the_server(
    serve: Start, offset: int, kind: int, frames: list[bytes]
) -> None:
    serving = serve()
    serving.hold("t", 1)
    port = serving.settings.port + offset
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        odd = context.socket(kind)
        odd.connect(f"tcp://127.0.0.1:{port}")
        odd.send_multipart(frames)
        for _ in range(3):
            assert sorted(ask([serving.link("t")])) == ["b/t"]
    finally:
        context.destroy(linger=0)
    assert serving.failures.empty()


def test_failure_of_the_server_is_reported(serve: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    serving = serve(serving_report_interval=0.01)
    serving.hold("t", 1)
    reports = serving.reports
    monkeypatch.setattr(reports, "put", lambda moment: reports.no_such_attribute)  # type: ignore[attr-defined]
    ask([serving.link("t")])
    assert isinstance(serving.failures.get(timeout=LIMIT), AttributeError)
    with socket.socket() as again:  # the port is free
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", serving.settings.port))


def test_port_in_use(serve: Start) -> None:
    serving = serve()
    again = PeerServer(serving.settings, serving.held, lambda: None, serving.failures.put)
    with pytest.raises(OSError, match="in use"):
        again.start()
    before = PeerServer(
        # Its pings' port is taken.
        settings(serving.settings.port - 1),
        serving.held,
        lambda: None,
        serving.failures.put,
    )
    with pytest.raises(OSError, match="in use"):
        before.start()


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6(serve: Start, host: str) -> None:
    serving = serve(host=host)
    serving.hold("t", 1)
    link = serving.link("t")._replace(peer=Peer("::1", serving.settings.port))
    assert sorted(ask([link])) == ["b/t"]


def test_address_of_another_machine(serve: Start) -> None:
    serving = serve(host="192.0.2.1")
    serving.hold("t", 1)
    assert sorted(ask([serving.link("t")])) == ["b/t"]


def test_many_clients_at_once(serve: Start) -> None:
    serving = serve()
    serving.hold("t", bytes(5_000_000))
    sizes: Queue[int] = Queue()

    def go() -> None:
        sizes.put(ask([serving.link("t")])["b/t"].size)

    askers = [Thread(target=go, daemon=True) for _ in range(8)]
    for asker in askers:
        asker.start()
    assert [sizes.get(timeout=LIMIT) for _ in askers] == [5_000_000] * 8


# --- peers that take too much ---------------------------------------------------------------------
@pytest.fixture
def serving(serve: Start) -> Serving:
    return serve()


@pytest.fixture
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    yield context
    context.destroy(linger=0)


def request(context: zmq.Context[zmq.Socket[bytes]], port: int, message: bytes) -> list[bytes]:
    sock = context.socket(zmq.REQ)
    sock.linger = 0
    sock.connect(f"tcp://127.0.0.1:{port}")
    sock.send(message)
    assert sock.poll(int(LIMIT * 1000)), "no answer"
    answer: list[bytes] = sock.recv_multipart()
    sock.close()
    return answer


def test_newest_connections_above_the_limit_are_closed(
    serving: Serving, context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    address = ("127.0.0.1", serving.settings.port)
    strangers = [socket.create_connection(address) for _ in range(MOST)]
    for number, stranger in enumerate(strangers):
        stranger.settimeout(LIMIT)
        assert stranger.recv(1), f"the greeting for connection {number}"
    late = [socket.create_connection(address) for _ in range(50)]
    for each in late:
        each.settimeout(LIMIT)
        try:
            while each.recv(100):
                pass  # the greeting, which may precede the end
        except ConnectionResetError:
            pass
    assert serving.refusals.get(timeout=LIMIT) == MOST
    assert serving.refusals.empty(), "reported once a minute"
    for each in (*strangers, *late):
        each.close()
    assert request(context, serving.settings.port + 1, b"ping") == [b"pong"]


def test_request_that_names_too_many_tasks_is_refused(
    serving: Serving, context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    serving.hold("t", 1)
    tasks = msgpack.packb({"tasks": ["t"] * 100_000})
    header, payload = request(context, serving.settings.port, tasks)

    answer = decode_value(Encoded(header, memoryview(payload)), "msgpack")
    assert answer["hkube_error"]["code"] == "unknown"


@pytest.fixture
def strangers(
    serving: Serving, context: zmq.Context[zmq.Socket[bytes]]
) -> Iterator[list[zmq.Socket[bytes]]]:
    """Peers that never read: each asks for a result, which is replaced by the next."""
    idle = []
    for number in range(10):
        serving.hold(f"t{number}", bytes(5_000_000))
        stranger = context.socket(zmq.REQ)
        stranger.linger, stranger.rcvhwm, stranger.rcvbuf = 0, 1, 4096
        stranger.maxmsgsize = 1_000_000
        stranger.connect(f"tcp://127.0.0.1:{serving.settings.port}")
        stranger.send(msgpack.packb({"tasks": [f"t{number}"]}))
        idle.append(stranger)
    yield idle
    for stranger in idle:
        stranger.close()


def test_peers_that_never_read_keep_no_more_than_the_budget(
    serving: Serving, strangers: list[zmq.Socket[bytes]]
) -> None:
    """50 MB are asked for, in a budget of 10."""
    deadline = time.monotonic() + LIMIT
    while not serving.server._sending:
        assert time.monotonic() < deadline, "nobody was answered"
    assert sum(serving.server._memory_of_transfers().values()) <= serving.held.budget


@pytest.mark.xfail(
    strict=False, reason="in one of four runs ZeroMQ answers no ping while strangers do not read"
)
def test_pings_are_answered_while_peers_never_read(
    serving: Serving, strangers: list[zmq.Socket[bytes]], context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    assert request(context, serving.settings.port + 1, b"ping") == [b"pong"]


def test_answer_larger_than_hkube_says_is_not_taken(serving: Serving) -> None:
    serving.hold("t", bytes(1_000_000))
    client = PeerClient(settings(0, timeout=0.5), lambda text: None)
    try:
        small = StoredReference("p", 10, peer=serving.peer, task_id="t")
        assert client.ask([small]) == {}
        assert set(client.ask([small._replace(size=1_000_000)])) == {"p"}
        assert set(client.ask([small._replace(size=None)])) == {"p"}
    finally:
        client.close()
