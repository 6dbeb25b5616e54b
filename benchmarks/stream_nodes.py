"""Nodes of streaming pipelines for the rows of streaming, and bare peers on `pyzmq`."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import orjson
import zmq

from tests.recorded_job import recorded_job
from wrapper.protocol.zmtp.connection import ZmtpConnection
from wrapper.protocol.zmtp.frames import Limits, message_pieces
from wrapper.protocol.zmtp.handshake import DEALER, Ready

from .contenders import Contender, running
from .server import Message
from .worker import START

PORT = 29_022
FLOW = {"parsedFlow": {"f": [{"source": "A", "next": ["B"]}]}, "defaultFlow": "f"}
_DURATION = b"\x81\xa8duration\xcb?\xf0\0\0\0\0\0\0"
ASK_BYTES = b"".join(message_pieces([b"\x01", b"\xa1B", b"\x03"]))
HANDLED_BYTES = b"".join(message_pieces([b"\x02", b"\xa1B", _DURATION]))
HEADER = b"\x01\x08\x01\x03\x00\x00HK"
WITHIN = 60.0  # seconds
_PAUSE = 0.002  # seconds; HKube's wrappers answer at once that nothing waits


class StreamNode:
    """A node: its processes, its port, and the worker's end of its connection."""

    def __init__(self, contender: Contender, port: int, storage: Path) -> None:
        self.contender = contender
        self.port = port
        self._storage = storage

    def begin(self, name: str, inputs: list[Any], **links: list[str]) -> None:
        """Start its task."""
        job = recorded_job(kind="stream", stateType="stateful", nodeName=name, input=inputs)
        self._send("initialize", job | FLOW | links)
        self.wait_for("initialized")
        self.contender.peer.send(START)
        self.wait_for("started")

    def know(self, *parents: StreamNode) -> None:
        """Report the addresses of its parents."""
        changes = [
            {
                "nodeName": "A",
                "address": {"host": "127.0.0.1", "port": parent.port},
                "type": "Add",
            }
            for parent in parents
        ]
        self._send("serviceDiscoveryUpdate", changes)

    def drain(self) -> None:
        """Stop it gracefully."""
        self._send("stop", {"forceStop": False})

    def wait_for(self, command: str) -> Message:
        """Wait for a message to the worker."""
        while True:
            message = self.contender.peer.receive()
            if message.command == command:
                return message

    def wait_until_queued(self, count: int) -> None:
        """Wait until so many messages wait."""
        while True:
            message = self.wait_for("streamingStatistics")
            if orjson.loads(message.payload())["data"][0]["queueSize"] == count:
                return

    def result(self) -> Any:
        """Wait for the end of its task and return the result."""
        stored = orjson.loads(self.wait_for("storing").payload())["data"]
        self.wait_for("done")
        return msgpack.unpackb((self._storage / stored["storageInfo"]["path"]).read_bytes()[8:])

    def _send(self, command: str, data: Any) -> None:
        self.contender.peer.send(orjson.dumps({"command": command, "data": data}))


@contextlib.contextmanager
def stream_node(algorithm: str, port: int = PORT, name: str = "wrapper") -> Iterator[StreamNode]:
    """Run a node of one of benchmarks/algorithms.

    Args:
        algorithm: the name of the file.
        port: of its messages.
        name: of the contender.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        settings = {
            "STORAGE_PROTOCOL": "v3",
            "DEFAULT_STORAGE": "fs",
            "BASE_FS_ADAPTER_DIRECTORY": folder,
            "STORAGE_ENCODING": "msgpack",
            "DISCOVERY_ENABLE": "false",
            "DISCOVERY_ENCODING": "msgpack",
            "STREAMING_DISCOVERY_PORT": str(port),
            "TERMINATION_LOG": "/dev/null",
        }
        if name == "wrapper":  # HKube's wrapper cannot read it
            settings["STREAMING_STATISTICS_INTERVAL"] = "0.2"
        with running(name, algorithm, settings) as contender:
            yield StreamNode(contender, port, Path(folder))


def bare_exchange(size: int, count: int) -> float:
    """One question, one message, one report at a time, on pyzmq in two processes."""
    ready = multiprocessing.get_context("spawn").Event()
    producer = multiprocessing.get_context("spawn").Process(
        target=_zmq_producer, args=(size, ready), daemon=True
    )
    producer.start()
    try:
        ready.wait(30)
        return _zmq_consumer(PORT + 1, count)
    finally:
        producer.terminate()
        producer.join()


def _zmq_consumer(port: int, count: int) -> float:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.rcvtimeo = int(WITHIN * 1000)
    dealer.connect(f"tcp://127.0.0.1:{port}")
    try:
        dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
        dealer.recv_multipart()
        began = time.perf_counter()
        for _ in range(count - 1):
            dealer.send_multipart([b"\x02", b"\xa1B", _DURATION])
            dealer.send_multipart([b"\x01", b"\xa1B", b"\x03"])
            dealer.recv_multipart()
        return (count - 1) / (time.perf_counter() - began)
    finally:
        dealer.close(linger=0)
        context.term()


def bare_consumer(port: int, count: int) -> float:
    """Ask for so many messages, one after the other; returns messages a second.

    On a plain socket, because libzmq's own threads would be most of the time.
    """
    with _connect(port) as sock:
        peer = BarePeer(sock)
        peer.fetch(ASK_BYTES)
        began = time.perf_counter()
        for _ in range(count - 1):
            peer.fetch(HANDLED_BYTES + ASK_BYTES)
        return (count - 1) / (time.perf_counter() - began)


def _connect(port: int) -> socket.socket:
    """Connect as soon as the producer listens."""
    until = time.monotonic() + WITHIN
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), WITHIN)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


class BarePeer:
    """A consumer that blocks, without a wrapper."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._zmtp = ZmtpConnection(Ready(DEALER, b"benchmark"), Limits(1 << 30))
        sock.sendall(self._zmtp.opening)
        while not self._zmtp.is_ready:
            self._zmtp.filled(sock.recv_into(self._zmtp.space()))

    def fetch(self, request: bytes) -> None:
        """Send a request, and ask until a message comes."""
        self._socket.sendall(request)
        while True:
            count = self._socket.recv_into(self._zmtp.space())
            if not count:
                raise RuntimeError("the producer has closed the connection")
            for frames in self._zmtp.filled(count).messages:
                if len(frames) > 1:
                    return
                time.sleep(_PAUSE)  # nothing waits yet
                self._socket.sendall(ASK_BYTES)


def _zmq_producer(size: int, ready: Any) -> None:
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(f"tcp://127.0.0.1:{PORT + 1}")
    ready.set()
    payload = b"x" * size
    while True:
        frames = router.recv_multipart()
        if frames[1] == b"\x01":
            router.send_multipart([frames[0], b"\x04", b"\x90", HEADER, payload])
