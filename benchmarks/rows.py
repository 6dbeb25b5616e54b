"""The rows of the table. Each measures floor and wrapper alternately and returns its figures."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import orjson

from . import processes
from .contenders import NAMES, both, pinned, running
from .figures import Figure, at_most, ratio_at_least, ratio_at_most
from .input_rows import inputs
from .local_rows import batch, local, printing
from .server import Peer
from .storage_rows import memory, peers, small, write
from .stream_rows import stream
from .worker import initialize, run_task

TINY = initialize(b"1")
BIG_BYTES = 90_000_000
IDLE_SECONDS = 10.0
STARTS_PER_REPETITION = 3
CALLS = 2000

Samples = dict[str, list[float]]


def tasks(repetitions: int, count: int = 2000) -> list[Figure]:
    """Measure a task with a tiny input, with both ends pinned to one CPU."""
    title = f"a task, {count:,} in a row: p50"
    medians, tails = _task_times("echo", repetitions, count)
    prepared, _ = _task_times("prepared", repetitions, count)
    return [
        Figure(title, "µs", medians, ratio_at_most(1.7)),
        Figure("the same: p99", "µs", tails, ratio_at_most(3)),
        Figure("the same with `initialize`: p50", "µs", prepared, ratio_at_most(2.1)),
    ]


def _task_times(algorithm: str, repetitions: int, count: int) -> tuple[Samples, Samples]:
    """Return the medians and the 99th percentiles of tasks, in microseconds."""
    medians, tails = empty(), empty()
    with pinned(), both(algorithm) as contenders:
        for contender in contenders.values():
            times(contender.peer, TINY, count // 10)
        for _ in range(repetitions):
            for name, contender in contenders.items():
                seconds = sorted(times(contender.peer, TINY, count))
                medians[name].append(seconds[count // 2] * 1e6)
                tails[name].append(seconds[count * 99 // 100] * 1e6)
    return medians, tails


def calls(repetitions: int) -> list[Figure]:
    """Measure a call of the code API that is answered at once, pinned to one CPU."""
    single, crowd = empty(), empty()
    with pinned(), both("calls") as contenders:
        for _ in range(repetitions):
            for name, contender in contenders.items():
                seconds = run_task(contender.peer, initialize(b"%d" % CALLS)).result()
                single[name].append(statistics.median(seconds) * 1e6)
    with pinned(), both("crowd") as contenders:
        for _ in range(repetitions):
            for name, contender in contenders.items():
                seconds = run_task(contender.peer, initialize(b"%d" % (CALLS // 100))).result()
                crowd[name].append(seconds * 1e6)
    return [
        Figure("a code-API call: p50", "µs", single, ratio_at_most(2)),
        Figure("the same, from 100 threads at once: time a call", "µs", crowd, ratio_at_most(2)),
    ]


def big(repetitions: int, size: int = BIG_BYTES) -> list[Figure]:
    """Measure speed and memory for a payload near the worker's limit, in and out."""
    figures = []
    for kind, make, limit in (("text", big_text, 1.5), ("list of floats", big_floats, 1.2)):
        value = make(size)
        first = initialize(value)
        speeds, peaks = empty(), empty()
        with both("echo") as contenders:
            for contender in contenders.values():
                contender.peer.reserve(len(first) + 1000)
            for _ in range(repetitions):
                for name, contender in contenders.items():
                    outcome = run_task(contender.peer, first)
                    speeds[name].append(len(value) / 1e6 / outcome.seconds)
                    if not echoed(outcome.done.payload(), value):
                        raise AssertionError(f"the {name} did not echo the {kind}")
            for name, contender in contenders.items():
                peaks[name].append(processes.peak_bytes(contender.pids()) / len(value))
        title = f"{size / 1e6:.0f} MB in and out, {kind}"
        figures.append(Figure(title, "MB/s", speeds, ratio_at_least(limit)))
        figures.append(Figure("the same: peak, both processes", "× payload", peaks, at_most(5)))
    return figures


def start(repetitions: int) -> list[Figure]:
    """Measure the time from process creation to the handshake, and to the first task's end."""
    connected, done = empty(), empty()
    for number in range(repetitions * STARTS_PER_REPETITION + 1):
        for name in NAMES:
            with running(name, "echo") as contender:
                run_task(contender.peer, TINY)
                done_after = time.perf_counter() - contender.begun
            if number:  # the first start compiled the bytecode
                connected[name].append(contender.connected_after * 1e3)
                done[name].append(done_after * 1e3)
    return [
        Figure("start → connected", "ms", connected, ratio_at_most(1.2)),
        Figure("start → first task done", "ms", done, ratio_at_most(1.8)),
    ]


def connect(repetitions: int) -> list[Figure]:
    """How long a worker that begins to listen late waits for the connection."""
    figures = []
    for delay in (0.0, 1.0, 3.0):
        waited = empty()
        for _ in range(repetitions):
            with running("wrapper", "echo", listens_after=delay) as contender:
                waited["wrapper"].append((contender.connected_after - delay) * 1e3)
            waited["floor"].append(0.0)
        title = f"the worker listens {delay:.0f} s late → connected"
        figures.append(Figure(title, "ms", waited, at_most(100)))
    return figures


def idle(repetitions: int) -> list[Figure]:
    """Measure the cost of waiting for the next task; one repetition is long enough."""
    memory, wakes = empty(), empty()
    with both("echo") as contenders:
        for contender in contenders.values():
            run_task(contender.peer, TINY)
        time.sleep(1)
        before = {name: processes.wake_ups(one.pids()) for name, one in contenders.items()}
        time.sleep(IDLE_SECONDS)
        for name, contender in contenders.items():
            after = processes.wake_ups(contender.pids())
            wakes[name].append((after - before[name]) / IDLE_SECONDS)
            memory[name].append(processes.pss_bytes(contender.pids()) / processes.MEBIBYTE)
    return [
        Figure("idle, all processes: PSS", "MB", memory, at_most(45)),
        Figure("the same: wake-ups", "/s", wakes, at_most(1)),
    ]


def flat(repetitions: int) -> list[Figure]:
    """Measure what 2,000 tasks and 20,000 code-API calls leave behind."""
    readers: dict[str, Callable[[list[int]], float]] = {
        "threads": processes.threads,
        "descriptors": processes.descriptors,
        "memory (PSS), MB": lambda pids: processes.pss_bytes(pids) / processes.MEBIBYTE,
    }
    limits = {"threads": 0.0, "descriptors": 0.0, "memory (PSS), MB": 1.0}
    grown: dict[str, Samples] = {reader: empty() for reader in readers}
    no_calls, many_calls = initialize(b"0"), initialize(b"%d" % CALLS)
    with both("calls") as contenders:
        for name, contender in contenders.items():
            times(contender.peer, no_calls, 200)
            run_task(contender.peer, many_calls)
            before = {key: read(contender.pids()) for key, read in readers.items()}
            times(contender.peer, no_calls, 2000)
            times(contender.peer, many_calls, 20_000 // CALLS)
            for key, read in readers.items():
                grown[key][name].append(read(contender.pids()) - before[key])
    title = "2,000 tasks and 20,000 calls: more {}"
    return [
        Figure(title.format(key), "", samples, at_most(limits[key]))
        for key, samples in grown.items()
    ]


ROWS = {
    "tasks": tasks,
    "calls": calls,
    "big": big,
    "start": start,
    "connect": connect,
    "idle": idle,
    "flat": flat,
    "local": local,
    "batch": batch,
    "printing": printing,
    "write": write,
    "small": small,
    "inputs": inputs,
    "memory": memory,
    "peers": peers,
    "stream": stream,
}


def empty() -> Samples:
    """Return empty lists of samples."""
    return {name: [] for name in NAMES}


def times(peer: Peer, first: bytes, count: int) -> list[float]:
    """Run a number of tasks in sequence; return the seconds that each took."""
    return [run_task(peer, first).seconds for _ in range(count)]


def big_text(size: int) -> bytes:
    """Return a JSON string of about this many bytes."""
    rand = random.Random(1)
    block = "".join(rand.choices("abcdefghijklmnopqrstuvwxyz      ", k=100_000))
    return orjson.dumps((block * (size // len(block) + 1))[: size - 2])


def big_floats(size: int) -> bytes:
    """Return a JSON list of numbers of about this many bytes."""
    rand = random.Random(1)
    sample = orjson.dumps([rand.random() * 1000 for _ in range(10_000)])
    return orjson.dumps([rand.random() * 1000 for _ in range(size * 10_000 // len(sample))])


def echoed(done: memoryview | bytes, value: bytes) -> bool:
    """Return whether the message ends with the value that was sent."""
    return bytes(done[-len(value) - 1 : -1]) == value
