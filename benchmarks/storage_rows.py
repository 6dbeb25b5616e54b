"""The rows of storage mode v3; the floor is the bare library and a file."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgpack
import orjson
import zmq

from . import processes
from .contenders import Contender, pinned, running
from .figures import Figure, at_most, no_goal, ratio_at_least
from .worker import initialize, run_task

HERE = Path(__file__).resolve().parent
SIZES = {"1 KB": 1_000, "1 MB": 1_000_000, "100 MB": 100_000_000, "1 GB": 1_000_000_000}
KINDS = {"bytes": "bytes", "numpy": "numpy array", "lists": "nested lists"}
SMALL = 300  # bytes
LARGE = 100_000_000  # from here on the goal holds
HUGE_REPETITIONS = 4
ASKERS, HELD = 8, 400_000_000
PORT = 29_020
WITHIN = 120_000  # milliseconds

Samples = dict[str, list[float]]


def write(repetitions: int) -> list[Figure]:
    """Measure a result's way to the storage, from `start` to `done`; the floor packs and writes."""
    figures = []
    for kind, words in KINDS.items():
        for title, size in SIZES.items():
            speeds = _speeds(kind, size, min(repetitions, HUGE_REPETITIONS if size > LARGE else 99))
            goal = ratio_at_least(0.8) if size >= LARGE else no_goal()
            figures.append(Figure(f"v3: {title} of {words} to a file", "MB/s", speeds, goal))
            if size < LARGE and kind != "bytes":  # v1 has bytes only in binary encodings
                speeds = _speeds(kind, size, repetitions, "v1")
                figures.append(
                    Figure("the same by v1, as JSON to the worker", "MB/s", speeds, goal)
                )
    return figures


def small(repetitions: int, count: int = 300) -> list[Figure]:
    """Measure a task with a small result that is stored and held for peers, on one CPU."""
    samples: Samples = {"floor": [], "wrapper": []}
    with pinned(), _plain("bytes", SMALL) as plain, _wrapper("v3") as contender:
        ways: dict[str, Callable[[], float]] = {
            "floor": plain,
            "wrapper": lambda: _run(contender, "bytes", SMALL),
        }
        for way in ways.values():
            way()
        for _ in range(repetitions):
            for name, way in ways.items():
                samples[name].append(statistics.median(way() for _ in range(count)) * 1e6)
    title = "v3: a task with a small result, stored and held for peers: p50"
    return [Figure(title, "µs", samples, at_most(480))]


def memory(repetitions: int) -> list[Figure]:
    """Measure the memory that a bytes result takes, above that of the idle wrapper."""
    figures = []
    for title in ("100 MB", "1 GB"):
        peaks: Samples = {"floor": [1.0], "wrapper": []}
        with _wrapper("v3") as contender:
            _run(contender, "bytes", 1)
            idle = processes.peak_bytes(contender.pids())
            _run(contender, "bytes", SIZES[title])
            # A result held for peers is in no process's resident size until it is sent.
            held = SIZES[title] if SIZES[title] <= HELD else 0
            peak = processes.peak_bytes(contender.pids()) + held - idle
            peaks["wrapper"].append(peak / SIZES[title])
        name = f"v3: {title} of bytes: peak, all processes and what is held for peers"
        figures.append(Figure(name, "× payload", peaks, at_most(2.2)))
    return figures


def peers(repetitions: int) -> list[Figure]:
    """Measure the supervisor's memory while 8 peers read one result of 400 MB at once."""
    grown: Samples = {"floor": [], "wrapper": []}
    speeds: Samples = {"floor": [], "wrapper": []}
    for _ in range(min(repetitions, HUGE_REPETITIONS)):
        with _wrapper("v3", DISCOVERY_MAX_CACHE_SIZE="500") as contender:
            _run(contender, "bytes", 1)
            before = processes.peak_bytes([contender.process.pid])
            _run(contender, "bytes", HELD)
            begin = time.perf_counter()
            _ask_all()
            speeds["wrapper"].append(ASKERS * HELD / 1e6 / (time.perf_counter() - begin))
            peak = processes.peak_bytes([contender.process.pid]) - before
            grown["wrapper"].append(peak / 1e6)
            grown["floor"].append(HELD / 1e6)  # the payload alone
            speeds["floor"].append(0.0)  # nothing to compare it with
    return [
        Figure("8 peers read 400 MB at once: the server's memory", "MB", grown, at_most(600)),
        Figure("the same: all together", "MB/s", speeds, no_goal()),
    ]


def _speeds(kind: str, size: int, repetitions: int, mode: str = "v3") -> Samples:
    """Measure the MB/s of the bare write and of the wrapper, alternately."""
    speeds: Samples = {"floor": [], "wrapper": []}
    with _plain(kind, size) as plain, _wrapper(mode) as contender:
        ways: dict[str, Callable[[], float]] = {
            "floor": plain,
            "wrapper": lambda: _run(contender, kind, size),
        }
        for number in range(repetitions + 1):
            # Alternate who is first: the disk is still busy with what the first one wrote.
            order = list(ways) if number % 2 else list(reversed(ways))
            seconds = {name: ways[name]() for name in order}
            if number:  # the first one made the value, and the pages of the files
                for name, taken in seconds.items():
                    speeds[name].append(size / 1e6 / taken)
    return speeds


@contextlib.contextmanager
def _plain(kind: str, size: int) -> Iterator[Callable[[], float]]:
    """The floor: a process that packs and writes on request."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        command = [sys.executable, str(HERE / "plain_write.py"), str(HERE / "algorithms")]
        process = subprocess.Popen(
            [*command, kind, str(size), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdout.readline()

        def once() -> float:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        try:
            yield once
        finally:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()


@contextlib.contextmanager
def _wrapper(mode: str, **settings: str) -> Iterator[Contender]:
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        environment = {
            "STORAGE_PROTOCOL": mode,
            "BASE_FS_ADAPTER_DIRECTORY": folder,
            "DISCOVERY_PORT": str(PORT),
            **settings,
        }
        with running("wrapper", "makes", environment) as contender:
            yield contender


def _run(contender: Contender, kind: str, size: int) -> float:
    """Run one task; return the seconds it took."""
    return run_task(contender.peer, initialize(orjson.dumps([kind, size]))).seconds


def _ask_all() -> None:
    """Read from all peers at once; each is a thread of this process."""

    def ask() -> None:
        with zmq.Context() as context, context.socket(zmq.REQ) as sock:
            sock.linger = 0
            sock.connect(f"tcp://127.0.0.1:{PORT}")
            sock.send(msgpack.packb({"tasks": ["oxl03zdv"]}))
            if not sock.poll(WITHIN) or len(sock.recv_multipart(copy=False)[1]) != HELD:
                raise AssertionError("a peer did not get the result")

    threads = [threading.Thread(target=ask) for _ in range(ASKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
