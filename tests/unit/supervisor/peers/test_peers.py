"""The supervisor holds results for other algorithms, and serves them."""

from __future__ import annotations

import io
import os
import resource
import socket
import tempfile
from collections.abc import Iterator
from threading import Thread
from typing import IO

import pytest

from tests.free_ports import free_port
from wrapper.config.settings import Config
from wrapper.log import Log
from wrapper.storage.format.encoded import Encoded, encode_value
from wrapper.storage.peers import handover
from wrapper.storage.peers.handover import Handover
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.peers.peers import Peers

LIMIT = 20.0  # seconds
SMALL = encode_value([1], "msgpack", "result")


@pytest.fixture
def log() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def text_of(log: IO[bytes]) -> str:
    return os.pread(log.fileno(), io.DEFAULT_BUFFER_SIZE, 0).decode()


def make(log: IO[bytes], port: int, **more: str) -> Peers:
    environ = {"STORAGE_PROTOCOL": "v3", "DISCOVERY_PORT": str(port), **more}
    config = Config.from_environ(environ, "/")
    return Peers(config, Log("info", fd=log.fileno()), Poller(), lambda payload: None)


def offer(peers: Peers, encoded: Encoded = SMALL) -> bool:
    """Hand over a result; return whether it is held."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.settimeout(LIMIT)
        held: list[bool] = []
        giver = Thread(target=lambda: held.append(Handover(ours, 10**7).offer("t", encoded)))
        giver.start()
        assert peers.take(theirs)
        giver.join(LIMIT)
        return held[0]


def test_result_is_held(log: IO[bytes]) -> None:
    port = free_port()
    peers = make(log, port)
    assert offer(peers)
    assert f"serving results to other algorithms at 127.0.0.1:{port}" in text_of(log)
    peers.close()


def test_log_says_what_is_bound_if_the_address_belongs_to_no_interface(log: IO[bytes]) -> None:
    port = free_port()
    peers = make(log, port, POD_IP="192.0.2.1")
    assert (
        f"serving results to other algorithms at 192.0.2.1:{port}: on all interfaces, because none "
        "of this machine has the address in POD_IP"
    ) in text_of(log)
    peers.close()


def test_nothing_is_held_without_a_port_to_serve_it(log: IO[bytes]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        peers = make(log, min(taken.getsockname()[1], 65534))
    assert not offer(peers)
    assert "other algorithms will read results from the storage" in text_of(log)
    assert "DISCOVERY_ENABLE" in text_of(log)


def test_result_that_cannot_be_taken_is_refused_immediately(log: IO[bytes]) -> None:
    peers = make(log, free_port())
    large = Encoded(b"12345678", bytes(2_000_000))
    assert offer(peers, large)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(LIMIT)
        with tempfile.TemporaryFile() as file:
            note = handover._NOTE.pack(7, 2_000_000, b"12345678", 1) + b"t"
            socket.send_fds(ours, [note], [file.fileno()])
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            assert peers.take(theirs)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert ours.recv(100) == handover._ANSWER.pack(7, False)
    peers.close()


def test_note_in_a_frame_is_held_and_refused_only_if_it_cannot_be(log: IO[bytes]) -> None:
    peers = make(log, free_port())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        theirs.settimeout(LIMIT)
        giver = Handover(ours, 10**7)
        asking = Thread(target=lambda: giver.offer("first", SMALL))
        asking.start()
        assert peers.take(theirs)
        asking.join(LIMIT)
        note = giver.note("second", SMALL)
        assert note is not None
        peers.take_note(note)
        held = peers._held.get("second")
        assert held is not None and held.payload == SMALL.payload
        ours.setblocking(False)
        with pytest.raises(BlockingIOError):
            ours.recv(100)
        peers.take_note(b"no note")
        assert ours.recv(100) == handover._ANSWER.pack(0, False)
        peers.close()
        peers.take_note(note)
        assert ours.recv(100) == handover._ANSWER.pack(0, False)


def test_empty_and_closed_sockets(log: IO[bytes]) -> None:
    peers = make(log, free_port())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setblocking(False)
        assert peers.take(theirs)
        ours.close()
        assert not peers.take(theirs)
    peers.close()
