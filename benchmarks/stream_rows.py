"""The rows of streaming: from one node to the next; the floor is the same exchange on pyzmq."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from .contenders import PUBLISHED, PUBLISHED_PYTHON
from .figures import (
    Figure,
    Goal,
    at_least,
    at_most,
    ratio_at_least,
)
from .processes import cpu_seconds
from .stream_nodes import PORT, StreamNode, bare_consumer, bare_exchange, stream_node

SIZES: dict[str, tuple[int, int, Goal]] = {
    "100 B": (100, 40_000, at_least(30_000)),
    "10 KB": (10_000, 10_000, at_least(15_000)),
    "1 MB": (1_000_000, 400, at_least(1_200)),
}
SMALL = 100
PUBLISHED_COUNT = 2_000
DRAINED = 10_000
PARENTS = 10
LATENCIES = 300
IDLE = 5.0  # seconds
CONNECTED = 1.0  # seconds after which all connections are open

Samples = dict[str, list[float]]


def stream(repetitions: int) -> list[Figure]:
    """Messages a second from a waiting queue to the next node's code, and their cost."""
    windows = {title: _empty() for title in SIZES}
    asked, theirs, burning, drained, cost = (_empty() for _ in range(5))
    for _ in range(repetitions):
        for title, (size, count, _goal) in SIZES.items():
            windows[title]["floor"].append(bare_exchange(size, count // 2))
            windows[title]["wrapper"].append(_between_nodes(size, count))
        floor = windows["100 B"]["floor"][-1]
        asked["floor"].append(floor)
        asked["wrapper"].append(_to_a_bare_consumer("stream_source", 20_000))
        if PUBLISHED_PYTHON.exists():
            theirs["floor"].append(_between_published_nodes())
            theirs["wrapper"].append(asked["wrapper"][-1])
        burning["floor"].append(floor)
        burning["wrapper"].append(_to_a_bare_consumer("stream_burner", 5_000))
        plain, drain = _between_nodes(SMALL, DRAINED), _drain()
        drained["floor"].append(plain)
        drained["wrapper"].append(drain)
        cost["floor"].append(0.0)
        cost["wrapper"].append(_cost(40_000))
    figures = [
        Figure(f"a stream of {title}, between two nodes", "msg/s", samples, SIZES[title][2])
        for title, samples in windows.items()
    ]
    one_by_one = "100 B to a consumer that asks for each message"
    figures.append(Figure(one_by_one, "msg/s", asked, at_least(10_000)))
    if theirs["floor"]:
        title = "the same; the floor is two nodes of HKube's Python wrapper"
        figures.append(Figure(title, "msg/s", theirs, ratio_at_least(4)))
    title = "the same while the source computes without pause"
    figures.append(Figure(title, "msg/s", burning, at_least(1_000)))
    title = "a drain of 10,000 messages; the floor is the rate without a stop"
    figures.append(Figure(title, "msg/s", drained, ratio_at_least(1 / 1.2)))
    title = "CPU for a message of 100 B, from `sendMessage` to the loop, both nodes"
    figures.append(Figure(title, "µs", cost, at_most(50)))
    return [*figures, *_idle_figures(repetitions)]


def _idle_figures(repetitions: int) -> list[Figure]:
    median, late, cpu = _empty(), _empty(), _empty()
    for _ in range(repetitions):
        share, times = _idle()
        for samples, value in (
            (median, times[len(times) // 2]),
            (late, times[len(times) * 99 // 100]),
            (cpu, share * 100),
        ):
            samples["floor"].append(0.0)
            samples["wrapper"].append(value)
    return [
        Figure(
            "an idle node with ten parents: message sent to code called, p50",
            "ms",
            median,
            at_most(2),
        ),
        Figure("the same, p99", "ms", late, at_most(10)),
        Figure("CPU of this node while nothing is sent", "%", cpu, at_most(1)),
    ]


def _empty() -> Samples:
    return {"floor": [], "wrapper": []}


@contextlib.contextmanager
def _two_nodes() -> Iterator[tuple[StreamNode, StreamNode]]:
    with stream_node("stream_source") as source, stream_node("stream_sink", PORT + 2) as sink:
        yield source, sink


def _between_nodes(size: int, count: int) -> float:
    """From our producer to our consumer, which opens a window."""
    with _two_nodes() as (source, sink):
        sink.begin("B", [count], parents=["A"])
        source.begin("A", [count, size], childs=["B"])
        source.wait_until_queued(count)
        sink.know(source)
        return float(sink.result())


def _drain() -> float:
    """The same after a graceful stop."""
    with _two_nodes() as (source, sink):
        sink.begin("B", [DRAINED], parents=["A"])
        source.begin("A", [DRAINED, SMALL], childs=["B"])
        source.wait_until_queued(DRAINED)
        source.drain()
        source.wait_for("stopping")
        sink.know(source)
        rate = float(sink.result())
        source.wait_for("stopped")
        return rate


def _cost(count: int) -> float:
    """Microseconds of CPU for each message, in all processes of both nodes."""
    with _two_nodes() as (source, sink):
        sink.begin("B", [count], parents=["A"])
        sink.know(source)
        pids = [*source.contender.pids(), *sink.contender.pids()]
        before = cpu_seconds(pids)
        source.begin("A", [count, SMALL], childs=["B"])
        sink.result()
        return (cpu_seconds(pids) - before) / count * 1e6


def _to_a_bare_consumer(algorithm: str, count: int) -> float:
    """From our producer to a consumer that speaks like HKube's wrappers."""
    with stream_node(algorithm) as source:
        source.begin("A", [count, SMALL], childs=["B"])
        source.wait_until_queued(count)
        return bare_consumer(PORT, count)


def _between_published_nodes() -> float:
    with (
        stream_node("stream_source", name=PUBLISHED) as source,
        stream_node("stream_listener", PORT + 2, PUBLISHED) as sink,
    ):
        source.begin("A", [PUBLISHED_COUNT, SMALL], childs=["B"])
        sink.begin("B", [PUBLISHED_COUNT], parents=["A"])
        sink.know(source)
        return float(sink.result())


def _idle() -> tuple[float, list[float]]:
    """The share of a CPU of an idle node, and the sorted latencies in milliseconds."""
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(stream_node("stream_clock", PORT + 2))
        parents = [
            stack.enter_context(stream_node("stream_ticks", PORT + 10 + number))
            for number in range(PARENTS)
        ]
        sink.begin("B", [LATENCIES], parents=["A"])
        for parent in parents[1:]:
            parent.begin("A", [0, 0.0, 0.0], childs=["B"])
        parents[0].begin("A", [LATENCIES, 0.02, IDLE + 2 * CONNECTED], childs=["B"])
        sink.know(*parents)
        time.sleep(CONNECTED)
        pids = sink.contender.pids()
        before = cpu_seconds(pids)
        time.sleep(IDLE)
        share = (cpu_seconds(pids) - before) / IDLE
        return share, sorted(sink.result())
