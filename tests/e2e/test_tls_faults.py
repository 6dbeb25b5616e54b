"""What goes wrong on a TLS connection: nothing is lost, and the log names the cause."""

from __future__ import annotations

import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import Serve, Session
from .harness.certificates import Identity, make_identity
from .harness.tampering_wire import Damage, TamperingWire

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
LARGE = "x" * 3_000_000
TIMES_LONGER = "def start(args):\n    return args['input'][0] * 1000\n"

Through = Callable[..., Session]


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return make_identity(tmp_path)


@pytest.fixture
def wire() -> Iterator[TamperingWire]:
    with TamperingWire() as wire:
        yield wire


@pytest.fixture
def through(serve: Serve, identity: Identity) -> Through:
    """A function that starts an algorithm whose connection goes through a wire."""

    def start(wire: TamperingWire, code: str) -> Session:
        env = settings(wire.port, identity)
        session = serve({"main.py": code}, env=env, tls=identity.context, connect=False)
        wire.lead_to(session.worker.port)
        session.worker.wait_connected()
        return session

    return start


def settings(port: int, identity: Identity) -> dict[str, str]:
    return {
        "WORKER_SOCKET_URL": f"wss://127.0.0.1:{port}/hkube/debug/green-alg",
        "SSL_CERT_FILE": str(identity.certificate),
    }


@pytest.mark.parametrize("damage", ["change a byte", "reset"])
@pytest.mark.parametrize("after", [0, 10_000, 1_000_000])
def test_result_arrives_although_the_connection_breaks(
    through: Through, wire: TamperingWire, damage: Damage, after: int
) -> None:
    worker, _ = through(wire, TIMES_LONGER)
    worker.begin("y" * 3000)
    wire.damage_once(damage, upstream=True, after=after)
    assert worker.finish().data == "y" * 3_000_000
    assert wire.damaged.is_set()
    assert worker.connections == 2
    assert worker.run("z") == "z" * 1000, "nothing is left of the task before"


def test_damaged_input_is_never_taken_for_one(through: Through, wire: TamperingWire) -> None:
    worker, wrapper = through(wire, "def start(args):\n    return len(args['input'][0])\n")
    assert worker.run("y") == 1
    wire.damage_once("change a byte", upstream=False, after=1_000_000)
    worker.initialize(LARGE)
    worker.wait_connected(2)
    assert worker.run(LARGE) == len(LARGE)
    assert "algorithm's own code" not in wrapper.stderr


def test_records_come_in_pieces_of_one_byte(through: Through) -> None:
    with TamperingWire(piece=1) as wire:
        worker, _ = through(wire, TIMES_LONGER)
        assert worker.run("y") == "y" * 1000


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01"])
def test_server_that_speaks_no_tls_keeps_no_container_from_ending(
    serve: Serve, identity: Identity, answer: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        _, wrapper = serve("one_argument", env=settings(port, identity), connect=False)
        connection, _ = server.accept()
        with connection:
            connection.sendall(answer)
            if answer.startswith(b"HTTP"):
                wrapper.wait_for_log("does not speak TLS")
            wrapper.signal(signal.SIGTERM)
            assert wrapper.wait() == 143
