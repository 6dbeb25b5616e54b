"""Asking peers, over real sockets; tests/e2e has the other tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import Queue
from threading import Event, Thread
from time import monotonic
from typing import Any, Protocol

import pytest

from tests.free_ports import free_port
from tests.unit.support.peer_serving import LIMIT, Serving, discovery
from wrapper.protocol.zmtp.frames import command_bytes, message_pieces
from wrapper.protocol.zmtp.handshake import GREETING, REP, Ready, ready_command
from wrapper.storage.format.encoded import Encoded, decode_value
from wrapper.storage.format.references import Peer, StoredReference
from wrapper.storage.peers.client import PeerClient


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = has_ipv6()


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
        serving.close()


def ask(
    links: Sequence[StoredReference], warnings: list[str] | None = None, **changes: object
) -> dict[str, Encoded]:
    lines = [] if warnings is None else warnings
    client = PeerClient(discovery(1, **changes), lines.append)
    return dict(client.ask(links))


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


@pytest.fixture
def silent() -> Iterator[Peer]:
    """A peer that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Peer("127.0.0.1", listening.getsockname()[1] - 1)


def test_many_peers_some_of_them_unreachable(serve: Start, silent: Peer) -> None:
    servings = [serve() for _ in range(3)]
    links = []
    for number, serving in enumerate(servings):
        serving.hold(f"t{number}", number)
        links.append(serving.link(f"t{number}"))
    gone = Peer("127.0.0.1", free_port())
    links += [StoredReference(f"b/{task}", peer=gone, task_id=task) for task in ("x", "y")]
    links.append(StoredReference("b/silent", peer=silent, task_id="silent"))
    links.append(StoredReference("b/bad", peer=Peer("a b", 5), task_id="bad"))
    warnings: list[str] = []
    found = ask(links, warnings, network_timeout=1.5)
    assert sorted(found) == ["b/t0", "b/t1", "b/t2"]
    assert len(warnings) == 3
    refused, unknown, late = sorted(warnings, key=lambda line: ("time" in line, "a b" in line))
    instead = "; reading from the storage"
    assert (
        refused
        == f"the peer 127.0.0.1:{gone.port}: cannot connect to it: Connection refused{instead}"
    )
    assert unknown.startswith("the peer a b:5: cannot connect to it: ")
    assert late == f"the peer 127.0.0.1:{silent.port}: it did not answer in time{instead}"


def test_silent_peers_are_asked_at_the_same_time() -> None:
    """One after another, they would take 40 seconds."""
    hosts = [f"127.0.0.{n}" for n in range(1, 41)]
    port = free_port()
    links = [StoredReference(f"b/{host}", peer=Peer(host, port), task_id="t") for host in hosts]
    begun = monotonic()
    with ExitStack() as stack:
        for host in hosts:
            stack.enter_context(socket.create_server((host, port + 1)))
        assert ask(links, network_timeout=1.0) == {}
    assert monotonic() - begun < 30


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


@pytest.mark.skipif(not HAS_IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_ipv6(serve: Start, host: str) -> None:
    serving = serve(host=host)
    serving.hold("t", 1)
    link = serving.link("t")._replace(peer=Peer("::1", serving.settings.port))
    assert sorted(ask([link])) == ["b/t"]


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


# --- peers that do not do what they should ------------------------------------------------------
class OddPeer:
    """Two ports whose connections are served by functions of the test."""

    def __init__(
        self, results: Callable[[socket.socket], None], answers_pings: bool = True
    ) -> None:
        self._listening: list[socket.socket] = []
        self._threads: list[Thread] = []
        self.port = free_port()
        serve = (results, _pong if answers_pings else results)
        for offset, each in enumerate(serve):
            listening = socket.create_server(("127.0.0.1", self.port + offset))
            listening.settimeout(LIMIT)
            self._listening.append(listening)
            self._threads.append(Thread(target=self._serve, args=(listening, each), daemon=True))
            self._threads[-1].start()
        self.peer = Peer("127.0.0.1", self.port)

    def _serve(self, listening: socket.socket, serve: Callable[[socket.socket], None]) -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(LIMIT)
            try:
                serve(connection)
            except OSError:
                pass  # the client has closed the connection

    def close(self) -> None:
        for listening in self._listening:
            listening.shutdown(socket.SHUT_RDWR)  # ends `accept`
        for thread in self._threads:
            thread.join(LIMIT)
        for listening in self._listening:
            listening.close()


def shake_hands(connection: socket.socket) -> None:
    """Do the handshake and read the request."""
    connection.sendall(GREETING + ready_command(Ready(REP, b"")))
    received = b""
    while b"tasks" not in received and b"ping" not in received:
        received += connection.recv(1000)


def send(connection: socket.socket, *frames: bytes) -> None:
    for piece in message_pieces(frames):
        connection.sendall(piece)


def _pong(connection: socket.socket) -> None:
    shake_hands(connection)
    send(connection, b"", b"pong")
    connection.recv(1)


def wait_for_end(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def ask_odd(results: Callable[[socket.socket], None], **changes: Any) -> list[str]:
    """Ask an odd peer for a result of 10 bytes; return the warnings without the peer's name."""
    size = changes.pop("size", 10)
    odd = OddPeer(results, changes.pop("answers_pings", True))
    warnings: list[str] = []
    try:
        link = StoredReference("p", size, peer=odd.peer, task_id="t")
        assert ask([link], warnings, **changes) == {}
    finally:
        odd.close()
    return [line.partition(": ")[2].removesuffix("; reading from the storage") for line in warnings]


def test_peer_that_closes_the_connection() -> None:
    assert ask_odd(shake_hands) == ["it closed the connection"]


def test_peer_that_speaks_another_protocol() -> None:
    (warning,) = ask_odd(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request"))
    assert warning == "its reply is invalid: the peer does not speak ZMTP"


def test_peer_without_an_empty_frame() -> None:
    def reply(connection: socket.socket) -> None:
        shake_hands(connection)
        send(connection, b"a", b"b")

    assert ask_odd(reply) == ["its reply has no empty frame in front"]


def test_peer_with_another_number_of_parts() -> None:
    def reply(connection: socket.socket) -> None:
        shake_hands(connection)
        send(connection, b"", b"header")

    assert ask_odd(reply) == ["it sent 1 parts for 1 tasks"]


def test_peer_with_another_answer_to_a_ping() -> None:
    def reply(connection: socket.socket) -> None:
        shake_hands(connection)
        send(connection, b"", b"what")

    warnings = ask_odd(reply, answers_pings=False)
    assert warnings == ["its reply to a ping is not that of an HKube wrapper"]


def test_endless_parts_of_an_answer_are_not_read() -> None:
    def reply(connection: socket.socket) -> None:
        shake_hands(connection)
        while True:
            connection.sendall(b"\x01\x00" * 1000)  # empty frames, and another follows

    assert ask_odd(reply) == ["its reply is invalid: a message has more than 3 frames"]


def test_endless_heartbeats_do_not_outlast_the_time_limit() -> None:
    def reply(connection: socket.socket) -> None:
        shake_hands(connection)
        pings = command_bytes(b"\x04PING\x00\x00") * 20_000
        while True:
            connection.sendall(pings)

    assert ask_odd(reply, timeout=0.3) == ["it did not answer in time"]


@pytest.mark.parametrize("size, reads", [(10, 10 + 64 * 1024), (None, 1024 * 1024 + 64 * 1024)])
def test_no_more_than_the_named_size_or_the_cache_is_read(size: int | None, reads: int) -> None:
    """Without a size, a peer holds no more than DISCOVERY_MAX_CACHE_SIZE."""

    def reply(claimed: int) -> Callable[[socket.socket], None]:
        def send_claim(connection: socket.socket) -> None:
            shake_hands(connection)
            connection.sendall(b"\x01\x00\x01\x08" + bytes(8))
            connection.sendall(b"\x02" + claimed.to_bytes(8, "big"))
            wait_for_end(connection)

        return send_claim

    changes = {"size": size, "max_cache_size": 1, "timeout": 1.0}
    (warning,) = ask_odd(reply(reads - 8 + 1), **changes)
    assert warning == f"its reply is invalid: a message of {reads + 1:,} bytes exceeds {reads:,}"
    assert ask_odd(reply(reads - 8), **changes) == ["it did not answer in time"]


def test_answer_larger_than_hkube_says_is_not_taken(serve: Start) -> None:
    serving = serve()
    serving.hold("t", bytes(1_000_000))
    small = serving.link("t")._replace(size=10)
    assert ask([small]) == {}
    assert set(ask([small._replace(size=1_000_000)])) == {"b/t"}
    assert set(ask([small._replace(size=None)])) == {"b/t"}


def test_name_of_a_peer_is_looked_up(serve: Start) -> None:
    serving = serve()
    serving.hold("t", 1)
    link = serving.link("t")._replace(peer=Peer("localhost", serving.settings.port))
    warnings: list[str] = []
    assert sorted(ask([link], warnings)) == ["b/t"], warnings


def test_name_that_takes_long_to_look_up_costs_the_network_timeout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look_up, ended = socket.getaddrinfo, Event()

    def slow(host: str, port: int, **more: Any) -> Any:
        if not more.get("flags"):
            assert ended.wait(LIMIT)
        return look_up(host, port, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    warnings: list[str] = []
    link = StoredReference("p", peer=Peer("slow.invalid", 1), task_id="t")
    assert ask([link], warnings, network_timeout=0.05) == {}
    ended.set()
    assert warnings == [
        "the peer slow.invalid:1: it did not answer in time; reading from the storage"
    ]


def test_no_descriptor_is_left_open_by_an_interrupted_question(serve: Start) -> None:
    serving = serve()
    before = len(os.listdir("/proc/self/fd"))

    class Interruption(Exception):
        pass

    def warn(text: str) -> None:
        raise Interruption

    gone = StoredReference("b/x", peer=Peer("127.0.0.1", free_port()), task_id="x")
    with pytest.raises(Interruption):
        PeerClient(discovery(1), warn).ask([serving.link("t"), gone])
    serving.run(lambda: None)
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the server's ends may still be open
