"""The row of streaming: from one node to the next; the floor is the same exchange on pyzmq."""

from __future__ import annotations

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import zmq

from tests.recorded_job import recorded_job

from .contenders import Contender, running
from .figures import Figure, no_goal, ratio_at_least
from .server import Message
from .worker import START

PORT = 29_022
FLOW = {"parsedFlow": {"f": [{"source": "A", "next": ["B"]}]}, "defaultFlow": "f"}
ASK = [b"\x01", b"\xa1B", b"\x03"]
HANDLED = [b"\x02", b"\xa1B", b"\x81\xa8duration\xcb?\xf0\0\0\0\0\0\0"]
HEADER = b"\x01\x08\x01\x03\x00\x00HK"
WITHIN = 60_000  # milliseconds
SIZES = {"100 B": (100, 20_000), "10 KB": (10_000, 5_000), "1 MB": (1_000_000, 300)}

Samples = dict[str, list[float]]


def stream(repetitions: int) -> list[Figure]:
    """Messages a second from a waiting queue to the next node's code."""
    figures = []
    for title, (size, count) in SIZES.items():
        windows: Samples = {"floor": [], "wrapper": []}
        asked: Samples = {"floor": [], "wrapper": []}
        for _ in range(repetitions):
            floor = _floor(size, count)
            windows["floor"].append(floor)
            windows["wrapper"].append(_between_nodes(size, count))
            asked["floor"].append(floor)
            asked["wrapper"].append(_to_a_bare_consumer(size, count))
        goal = ratio_at_least(2) if size == 100 else no_goal()
        figures.append(Figure(f"a stream of {title}, between two nodes", "msg/s", windows, goal))
        figures.append(
            Figure("the same to a consumer that asks for each message", "msg/s", asked, no_goal())
        )
    return figures


def _floor(size: int, count: int) -> float:
    """One question, one message, one report at a time, on pyzmq in two processes."""
    ready = multiprocessing.get_context("spawn").Event()
    producer = multiprocessing.get_context("spawn").Process(
        target=_bare_producer, args=(size, count, ready), daemon=True
    )
    producer.start()
    try:
        ready.wait(30)
        return _consume(PORT + 1, count)
    finally:
        producer.terminate()
        producer.join()


def _bare_producer(size: int, count: int, ready: Any) -> None:
    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(f"tcp://127.0.0.1:{PORT + 1}")
    ready.set()
    payload = b"x" * size
    while True:
        frames = router.recv_multipart()
        if frames[1] == b"\x01":
            router.send_multipart([frames[0], b"\x04", b"\x90", HEADER, payload])


def _consume(port: int, count: int) -> float:
    """Ask for so many messages, one after the other; returns messages a second."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.rcvtimeo = WITHIN
    dealer.identity = b"benchmark"
    dealer.connect(f"tcp://127.0.0.1:{port}")
    try:
        dealer.send_multipart(ASK)
        dealer.recv_multipart()
        began = time.perf_counter()
        for _ in range(count - 1):
            dealer.send_multipart(HANDLED)
            dealer.send_multipart(ASK)
            while len(dealer.recv_multipart()) == 1:  # nothing waits yet
                dealer.send_multipart(ASK)
        return (count - 1) / (time.perf_counter() - began)
    finally:
        dealer.close(linger=0)
        context.term()


@contextlib.contextmanager
def _node(algorithm: str, storage: Path, port: int) -> Iterator[Contender]:
    settings = {
        "STORAGE_PROTOCOL": "v3",
        "DEFAULT_STORAGE": "fs",
        "BASE_FS_ADAPTER_DIRECTORY": str(storage),
        "DISCOVERY_ENABLE": "false",
        "STREAMING_DISCOVERY_PORT": str(port),
        "STREAMING_STATISTICS_INTERVAL": "0.2",
        "TERMINATION_LOG": "/dev/null",
    }
    with running("wrapper", algorithm, settings) as contender:
        yield contender


def _begin(contender: Contender, name: str, inputs: list[int], **links: list[str]) -> None:
    job = recorded_job(kind="stream", stateType="stateful", nodeName=name, input=inputs)
    contender.peer.send(orjson.dumps({"command": "initialize", "data": job | FLOW | links}))
    _wait_for(contender, "initialized")
    contender.peer.send(START)
    _wait_for(contender, "started")


def _wait_for(contender: Contender, command: str) -> Message:
    while True:
        message = contender.peer.receive()
        if message.command == command:
            return message


def _wait_until_queued(source: Contender, count: int) -> None:
    while True:
        message = _wait_for(source, "streamingStatistics")
        if orjson.loads(message.payload())["data"][0]["queueSize"] == count:
            return


def _between_nodes(size: int, count: int) -> float:
    """From our producer to our consumer, which opens a window."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        storage = Path(folder)
        with (
            _node("stream_source", storage, PORT) as source,
            _node("stream_sink", storage, PORT + 2) as sink,
        ):
            _begin(sink, "B", [count], parents=["A"])
            _begin(source, "A", [count, size], childs=["B"])
            _wait_until_queued(source, count)
            address = {"host": "127.0.0.1", "port": PORT}
            change = {"nodeName": "A", "address": address, "type": "Add"}
            update = {"command": "serviceDiscoveryUpdate", "data": [change]}
            sink.peer.send(orjson.dumps(update))
            stored = orjson.loads(_wait_for(sink, "storing").payload())["data"]
            _wait_for(sink, "done")
            path = storage / stored["storageInfo"]["path"]
            return float(_msgpack_float(path.read_bytes()))


def _msgpack_float(stored: bytes) -> float:
    import msgpack

    return float(msgpack.unpackb(stored[8:]))


def _to_a_bare_consumer(size: int, count: int) -> float:
    """From our producer to a consumer that speaks like HKube's wrappers."""
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        _node("stream_source", Path(folder), PORT) as source,
    ):
        _begin(source, "A", [count, size], childs=["B"])
        _wait_until_queued(source, count)
        return _consume(PORT, count)
