"""Serving results on a poller, with libzmq and plain sockets as the other side."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Protocol

import msgpack
import pytest
import zmq

from tests.unit.support.peer_serving import BUDGET, LIMIT, MOST, Serving, discovery
from wrapper.protocol.zmtp.frames import message_pieces
from wrapper.protocol.zmtp.handshake import GREETING, REQ, Ready, ready_command
from wrapper.storage.format.encoded import Encoded, decode_value
from wrapper.storage.peers.answers import MOST_TASKS
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.peers.server import PeerServer

Context = zmq.Context[zmq.Socket[bytes]]
TASK_T = msgpack.packb({"tasks": ["t"]})
ONE = msgpack.packb(1)


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


@pytest.fixture
def serving(serve: Start) -> Serving:
    return serve()


@pytest.fixture
def context() -> Iterator[Context]:
    context: Context = zmq.Context()
    yield context
    context.destroy(linger=0)


def request(context: Context, port: int, message: bytes) -> list[bytes]:
    sock = context.socket(zmq.REQ)
    sock.linger = 0
    sock.connect(f"tcp://127.0.0.1:{port}")
    sock.send(message)
    assert sock.poll(int(LIMIT * 1000)), "no answer"
    answer: list[bytes] = sock.recv_multipart()
    sock.close()
    return answer


def test_serving_is_reported(serve: Start, context: Context) -> None:
    serving = serve(serving_report_interval=0.05)
    serving.hold("t", 1)
    request(context, serving.settings.port, TASK_T)
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
    serve: Start, context: Context, offset: int, kind: int, frames: list[bytes]
) -> None:
    serving = serve()
    serving.hold("t", 1)
    port = serving.settings.port + offset
    odd = context.socket(kind)
    odd.linger = 0
    odd.connect(f"tcp://127.0.0.1:{port}")
    odd.send_multipart(frames)
    for _ in range(3):
        assert request(context, serving.settings.port, TASK_T)[1] == ONE
    odd.close()


def test_port_in_use(serving: Serving) -> None:
    port = serving.settings.port
    for taken in (port, port - 1):  # its own port, or the one for its pings
        server = PeerServer(
            discovery(taken), serving.held, Poller(), lambda: None, lambda connections: None
        )
        with pytest.raises(OSError, match="in use"):
            server.start()
    with socket.socket() as free:  # the first port is given free when the second is taken
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port - 1))


def test_address_of_another_machine(serve: Start, context: Context) -> None:
    serving = serve(host="192.0.2.1")
    assert serving.server.listens_everywhere
    serving.hold("t", 1)
    assert request(context, serving.settings.port, TASK_T)[1] == ONE


# --- peers that take too much ---------------------------------------------------------------------
class Stranger:
    """A REQ socket without libzmq, which reads only what the test reads."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(LIMIT)
        self.sock.connect(("127.0.0.1", port))
        self.sock.sendall(GREETING + ready_command(Ready(REQ, b"")))

    def ask(self, *tasks: str) -> None:
        for piece in message_pieces([b"", msgpack.packb({"tasks": tasks})]):
            self.sock.sendall(piece)

    def ends(self) -> bool:
        """Whether the server closes the connection."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True


@pytest.fixture
def strangers(serving: Serving) -> Iterator[list[Stranger]]:
    """Peers that never read: each asks for a result of half the budget."""
    idle = []
    for number in range(MOST - 1):
        serving.hold(f"t{number}", bytes(BUDGET // 2 - 2000))
        idle.append(Stranger(serving.settings.port))
        idle[-1].ask(f"t{number}")
        idle[-1].sock.recv(1)  # not yet the reply
    yield idle
    for stranger in idle:
        stranger.sock.close()


def test_peers_that_never_read_keep_no_more_than_the_budget(
    serving: Serving, strangers: list[Stranger], context: Context
) -> None:
    request(context, serving.settings.port, TASK_T)  # all before it have been served
    assert serving.run(lambda: serving.held.used_bytes) <= BUDGET
    assert not serving.hold("new", bytes(BUDGET // 2)), "two results are on their way"
    for stranger in strangers:
        stranger.sock.close()
    while not serving.hold("new", bytes(BUDGET // 2)):  # the server notices in its own time
        request(context, serving.settings.port + 1, b"ping")


def test_pings_are_answered_while_peers_never_read(
    serving: Serving, strangers: list[Stranger], context: Context
) -> None:
    for _ in range(20):
        assert request(context, serving.settings.port + 1, b"ping") == [b"pong"]


def test_oldest_idle_connection_is_closed_for_a_new_one(serving: Serving, context: Context) -> None:
    strangers = []
    for _ in range(MOST):
        strangers.append(Stranger(serving.settings.port))
        strangers[-1].ask("gone")
        assert strangers[-1].sock.recv(1)
    assert request(context, serving.settings.port, msgpack.packb({"tasks": ["gone"]}))
    assert serving.crowds.get(timeout=LIMIT) == MOST
    assert strangers[0].ends()
    for _ in range(3 * MOST):
        strangers.append(Stranger(serving.settings.port))
    assert request(context, serving.settings.port, msgpack.packb({"tasks": ["gone"]}))
    assert serving.crowds.empty(), "reported once a minute"
    for stranger in strangers:
        stranger.sock.close()


def test_connection_that_is_being_served_is_not_closed_for_a_new_one(serving: Serving) -> None:
    serving.hold("t", bytes(BUDGET // 2))
    busy = Stranger(serving.settings.port)
    busy.ask("t")
    received = busy.sock.recv(1000)
    while b"\x01HK" not in received[-1000:] and len(received) < 1000:
        received += busy.sock.recv(1000)
    others = [Stranger(serving.settings.port) for _ in range(3 * MOST)]
    size = len(received)
    while size < BUDGET // 2:
        chunk = busy.sock.recv(1_000_000)
        assert chunk, "the connection was closed"
        size += len(chunk)
    for each in (busy, *others):
        each.sock.close()


def error_code(answer: list[bytes]) -> str:
    header, payload = answer
    code: str = decode_value(Encoded(header, payload), "msgpack")["hkube_error"]["code"]
    return code


def test_request_that_names_too_many_tasks_is_refused(serving: Serving, context: Context) -> None:
    serving.hold("t", 1)
    tasks = msgpack.packb({"tasks": ["t"] * (MOST_TASKS + 1)})
    assert error_code(request(context, serving.settings.port, tasks)) == "unknown"


def test_replies_under_way_have_a_limit_together(serving: Serving, context: Context) -> None:
    """A peer that never reads, and a result: each reply is a list of references to it."""
    serving.hold("t", bytes(1000))
    strangers = [Stranger(serving.settings.port) for _ in range(MOST - 1)]
    tasks = ["t"] * MOST_TASKS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wrapper.supervisor.peers.server._MOST_PARTS", 3 * MOST_TASKS)
        for stranger in strangers:
            stranger.ask(*tasks)
            stranger.sock.recv(1)
        answer = request(context, serving.settings.port, msgpack.packb({"tasks": tasks}))
        assert error_code(answer) == "unknown"
    for stranger in strangers:
        stranger.sock.close()


def test_request_that_is_too_large_ends_the_connection(serving: Serving) -> None:
    stranger = Stranger(serving.settings.port)
    stranger.sock.sendall(b"\x01\x00\x02" + (1024 * 1024 + 1).to_bytes(8, "big"))
    assert stranger.ends()
    stranger.sock.close()


def test_endless_frames_of_a_request_end_the_connection(serving: Serving) -> None:
    stranger = Stranger(serving.settings.port)
    stranger.sock.sendall(b"\x01\x00" * 1000)
    assert stranger.ends()
    stranger.sock.close()


def test_unfinished_requests_have_a_limit_together(serving: Serving, context: Context) -> None:
    serving.hold("t", 1)
    with pytest.MonkeyPatch.context() as patch:
        memory = serving.server._listeners[0]._memory
        patch.setattr(memory, "_limit", 1_000_000)
        strangers = [Stranger(serving.settings.port) for _ in range(4)]
        for stranger in strangers:
            try:
                stranger.sock.sendall(
                    b"\x00\x00\x02" + (900_000).to_bytes(8, "big") + bytes(800_000)
                )
            except OSError:
                pass  # it was refused before all was sent
        ended = [stranger for stranger in strangers[1:] if stranger.ends()]
        assert len(ended) >= 2
        assert request(context, serving.settings.port, TASK_T)[1] == ONE
    for stranger in strangers:
        stranger.sock.close()
    while serving.run(lambda: memory.used):  # the server notices in its own time
        request(context, serving.settings.port + 1, b"ping")
