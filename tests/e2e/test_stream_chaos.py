"""Streaming while pods are killed, user code holds the GIL and strangers send junk.

The sizes are small here. HKUBE_CHAOS=large runs the large ones, for some minutes.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import psutil

from wrapper.protocol.zmtp.handshake import DEALER, GREETING, Ready, ready_command

from .harness.stream_node import StreamNode, pipeline, stop

LARGE = os.environ.get("HKUBE_CHAOS") == "large"
KILLED_CONSUMERS = 200 if LARGE else 6
KILLED_PRODUCERS = 50 if LARGE else 3
GIL_SECONDS = 15 if LARGE else 4
MESSAGES = 1_000_000 if LARGE else 30_000
STRANGERS = 300 if LARGE else 60

FLOW = [{"source": "A", "next": ["B"]}]
MEGABYTE = 1_000_000

MakeNode = Callable[..., StreamNode]

SOURCE = """
def start(args, api):
    for number in range(args["input"][0]):
        api.send_message(number)
    print("sent", flush=True)
    while not api.stop_requested:
        __import__("time").sleep(0.01)
"""
SINK = """
def start(args, api):
    for message in api.messages():
        print(message.value, flush=True)
"""
SLOW_SINK = """
import time

def start(args, api):
    time.sleep(0.001)
    print(args["streamInput"]["message"], flush=True)
"""
UNTIL_KILLED = """
import itertools

def start(args, api):
    for number in itertools.count():
        api.send_message([args["input"][0], number])
        print(number, flush=True)
"""
COUNTING_SINK = """
def start(args, api):
    for count, _ in enumerate(api.messages(), 1):
        if count % args["input"][0] == 0:
            print(count, flush=True)
"""
# PyDLL keeps the GIL during the call.
HOLD = """
import ctypes

def hold(seconds):
    print("holds", flush=True)
    ctypes.PyDLL(None).sleep(seconds)
    print("released", flush=True)
"""
BUSY_SOURCE = (
    HOLD
    + """
def start(args, api):
    for number in range(200):
        api.send_message(number)
    hold(args["input"][0])
    while not api.stop_requested:
        __import__("time").sleep(0.01)
"""
)
BUSY_SINK = (
    HOLD
    + """
def start(args, api):
    for message in api.messages():
        if message.value == 5:
            hold(args["input"][0])
        print(message.value, flush=True)
"""
)


def kill(node: StreamNode) -> None:
    node.wrapper.signal(signal.SIGKILL)
    node.wrapper.wait()


def begin_sink(sink: StreamNode, *inputs: int, state_type: str = "stateful") -> None:
    sink.begin(*inputs, stateType=state_type, parents=["A"], **pipeline(FLOW))


def begin_source(source: StreamNode, *inputs: int) -> None:
    source.begin(*inputs, stateType="stateful", childs=["B"], **pipeline(FLOW))


def numbers(node: StreamNode) -> list[int]:
    """The numbers that a node printed; one that was cut off by a kill is left out."""
    text = node.wrapper.stdout
    return [int(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.isdigit()]


def test_each_message_is_handled_while_consumers_are_killed(node: MakeNode) -> None:
    dice = random.Random(11)
    count = KILLED_CONSUMERS * 250
    source = node("A", SOURCE)
    begin_source(source, count)
    handled: Counter[int] = Counter()
    for _ in range(KILLED_CONSUMERS):
        consumer = node("B", SLOW_SINK)
        begin_sink(consumer, state_type="stateless")
        consumer.know(source)
        consumer.wait_for_lines(dice.randint(1, 200))
        kill(consumer)
        handled.update(numbers(consumer))
    last = node("B", SLOW_SINK)
    begin_sink(last, state_type="stateless")
    last.know(source)
    report = source.statistics(lambda each: each["responses"] + each["dropped"] == count)
    handled.update(numbers(last))
    assert report["dropped"] == 0
    assert set(handled) == set(range(count))
    twice = sum(handled.values()) - count
    # A killed consumer may have handled messages that it had not reported yet.
    assert twice <= report["redelivered"]
    print(f"{KILLED_CONSUMERS} killed, {count} messages, {twice} handled twice")
    stop(last, force=True)
    stop(source, force=True)


def test_each_message_is_handled_although_the_producers_process_is_killed(
    node: MakeNode,
) -> None:
    dice = random.Random(12)
    sink = node("B", SINK)
    begin_sink(sink)
    port, sent = None, []
    for run in range(KILLED_PRODUCERS):
        source = node("A", UNTIL_KILLED, port)
        begin_source(source, run)
        if port is None:
            sink.know(source)
        port = source.port
        source.wait_for_lines(dice.randint(1, 3000))
        source.wrapper.algorithm().kill()
        source.wrapper.wait()
        sent += [f"[{run}, {number}]" for number in numbers(source)]
    expected = set(sent)
    sink.wrapper.wait_until(lambda: expected <= set(sink.lines()), "all messages", 30)
    counts = Counter(sink.lines())
    twice = sum(times - 1 for times in counts.values())
    print(f"{KILLED_PRODUCERS} killed, {len(sent)} messages, {twice} handled twice")
    assert twice == 0  # the consumer lived
    stop(sink, force=True)


def test_producer_that_holds_the_gil_hands_out_its_messages(node: MakeNode) -> None:
    source, sink = node("A", BUSY_SOURCE), node("B", SINK)
    begin_source(source, GIL_SECONDS)
    source.wait_for_lines(1)
    begin_sink(sink)
    sink.know(source)
    assert len(sink.wait_for_lines(200)) == 200
    assert "released" not in source.lines(), "the GIL was free too early to tell"
    report = source.statistics(lambda each: each["responses"] == 200)
    assert report["redelivered"] == 0
    stop(sink, force=True)
    stop(source, force=True)


def test_consumer_that_holds_the_gil_stays_in_touch(node: MakeNode) -> None:
    source, sink = node("A", SOURCE), node("B", BUSY_SINK)
    begin_source(source, 200)
    begin_sink(sink, GIL_SECONDS)
    sink.know(source)
    sink.wait_for_lines(6)  # 0 to 4, and that it holds the GIL
    signs = len(sink.worker.received)
    sink.wrapper.wait_until(lambda: "released" in sink.lines(), "end", GIL_SECONDS + 20)
    commands = [message.command for message in sink.worker.received[signs:]]
    assert commands.count("alive") >= GIL_SECONDS // 2 - 1
    sink.wait_for_lines(202)
    assert sink.wait_for_lines(202)[6:] == ["released", *map(str, range(5, 200))]
    report = source.statistics(lambda each: each["responses"] == 200)
    assert report["redelivered"] == 0  # the connection was never given up
    stop(sink, force=True)
    stop(source, force=True)


def size(node: StreamNode) -> tuple[int, int, int]:
    """Threads, descriptors and bytes of a node's processes."""
    both = [psutil.Process(node.wrapper.pid), node.wrapper.algorithm()]
    return (
        sum(process.num_threads() for process in both),
        sum(process.num_fds() for process in both),
        sum(process.memory_info().rss for process in both),
    )


def test_many_messages_leave_nothing_behind(node: MakeNode) -> None:
    # A full queue lets the source wait, so that both ends work at the same rate.
    settings = {"STREAMING_WHEN_FULL": "wait", "STREAMING_MAX_BUFFER_MB": "1"}
    source, sink = node("A", SOURCE, **settings), node("B", COUNTING_SINK)
    step = MESSAGES // 10
    begin_sink(sink, step)
    begin_source(source, MESSAGES)
    sink.know(source)

    def sizes_after(tenths: int) -> list[tuple[int, int, int]]:
        sink.wrapper.wait_until(lambda: len(sink.lines()) >= tenths, f"{tenths} tenths", 600)
        return [size(each) for each in (source, sink)]

    first, last = sizes_after(2), sizes_after(10)
    print("threads, descriptors, bytes of source and sink:", first, last)
    for before, after in zip(first, last, strict=True):
        assert after[0] <= before[0] + 1
        assert after[1] <= before[1] + 1
        assert after[2] - before[2] < 6 * MEGABYTE
    report = source.statistics(lambda each: each["responses"] == MESSAGES)
    assert (report["dropped"], report["redelivered"], report["queueSize"]) == (0, 0, 0)
    stop(sink, force=True)
    stop(source, force=True)


JUNK = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    bytes(1000),
    b"\xff" * 100_000,
    GREETING,  # and nothing more
    GREETING + b"\x04\x05\x05READ",  # a command that is cut off
    GREETING + b"\x06" + (1 << 40).to_bytes(8, "big"),  # a command of a terabyte
    GREETING + ready_command(Ready(DEALER, b"x")) + b"\x02" + (1 << 40).to_bytes(8, "big"),
    GREETING + ready_command(Ready(DEALER, b"x")) + b"\x01\x01a" * 10_000,  # frames without end
    GREETING + ready_command(Ready(DEALER, b"x")) + b"\x01\x01\x01\x01\x02\xa1Z\x00\x01\x03" * 100,
    GREETING + ready_command(Ready("PUB", b"x")),
]


def test_strangers_cost_little_and_others_are_served(node: MakeNode) -> None:
    dice = random.Random(13)
    source, sink = node("A", SOURCE), node("B", SINK)
    begin_source(source, 2000)
    source.wait_for_lines(1)
    before = size(source)[2]
    open_sockets = []
    done = threading.Event()

    def molest() -> None:
        for number in range(STRANGERS):
            sock = socket.create_connection(("127.0.0.1", source.port), timeout=10)
            open_sockets.append(sock)
            with suppress(OSError):  # the node may close it at once
                sock.sendall(JUNK[number % len(JUNK)])
                sock.sendall(dice.randbytes(dice.randint(0, 5000)))
        done.set()

    thread = threading.Thread(target=molest, daemon=True)
    thread.start()
    begin_sink(sink)
    sink.know(source)
    assert sink.wait_for_lines(2000) == [str(number) for number in range(2000)]
    assert done.wait(60)
    grown = size(source)[2] - before
    print(f"{STRANGERS} strangers: {grown:,} bytes more")
    assert grown < 20 * MEGABYTE
    stop(sink, force=True)
    stop(source, force=True)
    for sock in open_sockets:
        sock.close()
