"""Nodes of streaming pipelines for the rows of streaming, and bare peers on `pyzmq`."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import orjson
import zmq

from tests.recorded_job import recorded_job

from .contenders import Contender, running
from .server import Message
from .worker import START

PORT = 29_022
FLOW = {"parsedFlow": {"f": [{"source": "A", "next": ["B"]}]}, "defaultFlow": "f"}
ASK = [b"\x01", b"\xa1B", b"\x03"]
HANDLED = [b"\x02", b"\xa1B", b"\x81\xa8duration\xcb?\xf0\0\0\0\0\0\0"]
HEADER = b"\x01\x08\x01\x03\x00\x00HK"
WITHIN = 60_000  # milliseconds
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
        target=_bare_producer, args=(size, ready), daemon=True
    )
    producer.start()
    try:
        ready.wait(30)
        return bare_consumer(PORT + 1, count)
    finally:
        producer.terminate()
        producer.join()


def bare_consumer(port: int, count: int) -> float:
    """Ask for so many messages, one after the other; returns messages a second."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.rcvtimeo = WITHIN
    dealer.identity = b"benchmark"
    dealer.connect(f"tcp://127.0.0.1:{port}")
    try:
        _fetch(dealer)
        began = time.perf_counter()
        for _ in range(count - 1):
            dealer.send_multipart(HANDLED)
            _fetch(dealer)
        return (count - 1) / (time.perf_counter() - began)
    finally:
        dealer.close(linger=0)
        context.term()


def _fetch(dealer: zmq.Socket[bytes]) -> None:
    dealer.send_multipart(ASK)
    while len(dealer.recv_multipart()) == 1:  # nothing waits yet
        time.sleep(_PAUSE)
        dealer.send_multipart(ASK)


def _bare_producer(size: int, ready: Any) -> None:
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(f"tcp://127.0.0.1:{PORT + 1}")
    ready.set()
    payload = b"x" * size
    while True:
        frames = router.recv_multipart()
        if frames[1] == b"\x01":
            router.send_multipart([frames[0], b"\x04", b"\x90", HEADER, payload])
