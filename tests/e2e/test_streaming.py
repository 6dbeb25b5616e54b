"""Streaming: nodes as real processes that pass messages to each other over the real wire."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from .conftest import Serve
from .harness.stream_node import StreamNode, pipeline, stop

FLOW = [{"source": "A", "next": ["B"]}, {"source": "B", "next": ["C"]}]

SOURCE = """
import time

def start(args, hkube_api):
    for number in range(args["input"][0]):
        hkube_api.sendMessage({"number": number})
    while not hkube_api.stop_requested:
        time.sleep(0.01)
"""
DOUBLE = """
def start(args, hkube_api):
    return args["streamInput"]["message"]["number"] * 2
"""
SINK = """
import time

def start(args, hkube_api):
    def on_message(message, origin):
        print(f"{origin}:{message}", flush=True)

    hkube_api.registerInputListener(on_message)
    hkube_api.startMessageListening()
    while not hkube_api.stop_requested:
        time.sleep(0.01)
"""


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_messages_pass_from_a_source_to_a_sink(
    node: Callable[..., StreamNode], encoding: str
) -> None:
    env = {"DISCOVERY_ENCODING": encoding}
    source, double, sink = (
        node("A", SOURCE, **env),
        node("B", DOUBLE, **env),
        node("C", SINK, **env),
    )
    source.begin(100, stateType="stateful", childs=["B"], **pipeline(FLOW))
    double.begin(stateType="stateless", parents=["A"], childs=["C"], **pipeline(FLOW))
    sink.begin(stateType="stateful", parents=["B"], **pipeline(FLOW))
    double.know(source)
    sink.know(double)
    assert sink.wait_for_lines(100) == [f"B:{2 * number}" for number in range(100)]
    report = source.statistics(lambda each: each["responses"] == 100)
    assert report["nodeName"] == "B"
    assert report["sent"] == 100
    assert report["queueSize"] == report["dropped"] == 0
    for each in (source, double, sink):
        each.worker.send("stop", {"forceStop": True})
        each.worker.wait_for("stopped")


def test_the_last_statistics_come_before_the_end(node: Callable[..., StreamNode]) -> None:
    source, sink = node("A", SOURCE, STREAMING_STATISTICS_INTERVAL="60"), node("B", SINK)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(5, stateType="stateful", childs=["B"], **pipeline(flow))
    sink.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    sink.know(source)
    sink.wait_for_lines(5)
    source.worker.send("stop", {"forceStop": False})
    report = source.statistics(lambda each: True)
    assert (report["sent"], report["responses"], report["redelivered"]) == (5, 5, 0)
    source.worker.wait_for("stopped")
    stop(sink, force=True)


def test_graceful_stop_hands_over_waiting_messages(node: Callable[..., StreamNode]) -> None:
    source, sink = node("A", SOURCE), node("B", SINK)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(500, stateType="stateful", childs=["B"], **pipeline(flow))
    source.statistics(lambda each: each["queueSize"] == 500)
    source.worker.send("stop", {"forceStop": False})
    source.worker.wait_for("stopping")
    sink.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    sink.know(source)
    source.worker.wait_for("stopped", timeout=30)
    assert len(sink.wait_for_lines(500)) == 500
    assert "stopped" not in sink.worker.commands()
    stop(sink, force=True)


def test_forced_stop_ends_at_once(node: Callable[..., StreamNode]) -> None:
    source = node("A", SOURCE)
    source.begin(500, stateType="stateful", childs=["B"], **pipeline(FLOW))
    source.statistics(lambda each: each["queueSize"] == 500)
    source.worker.send("stop", {"forceStop": True})
    assert source.worker.next_message().command in ("streamingStatistics", "stopped")
    source.worker.pass_over()
    assert "stopping" not in source.worker.commands()


def test_stateful_start_ends_after_everything_is_handled(
    node: Callable[..., StreamNode],
) -> None:
    code = "def start(args, api):\n    for n in range(300):\n        api.send_message(n)\n"
    source, sink = node("A", code), node("B", SINK)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(stateType="stateful", childs=["B"], **pipeline(flow))
    source.statistics(lambda each: each["queueSize"] == 300)
    assert "done" not in source.worker.commands()
    sink.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    sink.know(source)
    source.worker.wait_for("done", timeout=30)
    assert len(sink.wait_for_lines(300)) == 300
    stop(sink, force=True)


def test_no_statistics_are_sent_before_the_task_has_started(
    node: Callable[..., StreamNode],
) -> None:
    # HKube's wrappers have no producer before `start`, so HKube's worker expects none.
    code = "import time\ndef initialize(args):\n    time.sleep(0.5)\n" + SOURCE
    source = node("A", code, STREAMING_STATISTICS_INTERVAL="0.02")
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(3, stateType="stateful", childs=["B"], **pipeline(flow))
    source.statistics(lambda each: each["queueSize"] == 3)
    commands = source.worker.commands()
    assert "streamingStatistics" not in commands[: commands.index("initialized")]
    stop(source, force=True)


def test_messages_of_a_killed_consumer_go_to_another(node: Callable[..., StreamNode]) -> None:
    stuck = (
        "import time\ndef start(args, api):\n"
        "    print('got', args['streamInput']['message'], flush=True)\n    time.sleep(60)\n"
    )
    source, first, second = node("A", SOURCE), node("B", stuck), node("B", SINK)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(3, stateType="stateful", childs=["B"], **pipeline(flow))
    first.begin(stateType="stateless", parents=["A"], **pipeline(flow))
    first.know(source)
    first.wait_for_lines(1)
    first.wrapper.signal(signal.SIGKILL)
    first.wrapper.wait()
    second.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    second.know(source)
    assert sorted(second.wait_for_lines(3)) == [f"A:{{'number': {n}}}" for n in range(3)]
    stop(second, force=True)
    stop(source, force=True)


def test_stateless_failure_is_reported_after_its_output_is_handed_over(
    node: Callable[..., StreamNode],
) -> None:
    code = (
        "def start(args, api):\n    number = args['streamInput']['message']['number']\n"
        "    if number == 2:\n        raise ValueError('no twos')\n    return number\n"
    )
    source, middle, sink = node("A", SOURCE), node("B", code), node("C", SINK)
    source.begin(3, stateType="stateful", childs=["B"], **pipeline(FLOW))
    sink.begin(stateType="stateful", parents=["B"], **pipeline(FLOW))
    middle.begin(stateType="stateless", parents=["A"], childs=["C"], **pipeline(FLOW))
    sink.know(middle)
    middle.know(source)
    error = middle.worker.wait_for("errorMessage", timeout=30).error
    assert "no twos" in error["message"]
    assert sink.wait_for_lines(2) == ["B:0", "B:1"]
    stop(sink, force=True)
    stop(source, force=True)


def test_loop_over_messages(node: Callable[..., StreamNode]) -> None:
    code = (
        "async def start(args, api):\n    async for message in api.messages():\n"
        "        print(message.origin, message.value['number'], flush=True)\n"
    )
    source, sink = node("A", SOURCE), node("B", code)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(3, stateType="stateful", childs=["B"], **pipeline(flow))
    sink.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    sink.know(source)
    assert sink.wait_for_lines(3) == ["A 0", "A 1", "A 2"]
    stop(sink, force=False)
    stop(source, force=True)


def test_debug_gateway_carries_messages(serve: Serve) -> None:
    worker, wrapper = serve(
        {"main.py": SINK.replace("print(", "hkube_api.sendMessage(message); print(")}
    )
    worker.begin(stateType="stateful", nodeName="B", **pipeline(FLOW))
    wrapper.wait_until(lambda: wrapper.is_running, "start", 5)
    worker.send("streamingInMessage", {"payload": 5, "origin": "A", "sendMessageId": "m1"})
    out = worker.wait_for("streamingOutMessage")
    assert out.data == {"message": 5, "flowName": None, "sendMessageId": "m1"}
    assert worker.wait_for("streamingInMessageDone").data == {"sendMessageId": "m1"}
    worker.send("stop", {"forceStop": True})
    worker.wait_for("stopped")


def test_every_message_is_handled_whatever_consumers_are_killed(
    node: Callable[..., StreamNode],
) -> None:
    slow = (
        "import time\ndef start(args, api):\n    time.sleep(0.002)\n"
        "    print(args['streamInput']['message']['number'], flush=True)\n"
    )
    source = node("A", SOURCE)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(2000, stateType="stateful", childs=["B"], **pipeline(flow))
    consumers = []
    for number in range(4):
        consumer = node("B", slow)
        consumer.begin(stateType="stateless", parents=["A"], **pipeline(flow))
        consumer.know(source)
        consumers.append(consumer)
        if number < 3:
            consumer.wait_for_lines(50)
            consumer.wrapper.signal(signal.SIGKILL)
            consumer.wrapper.wait()
    report = source.statistics(lambda each: each["responses"] + each["dropped"] == 2000)
    assert report["dropped"] == 0
    handled = [int(line) for consumer in consumers for line in consumer.lines()]
    assert set(handled) == set(range(2000))
    stop(consumers[-1], force=True)
    stop(source, force=True)


def test_user_code_that_holds_the_gil_stops_nobody(node: Callable[..., StreamNode]) -> None:
    # One call into C that holds the GIL for some seconds, after the messages were sent.
    busy = (
        "def start(args, api):\n    for number in range(200):\n        api.sendMessage(number)\n"
        "    print('computing', flush=True)\n    sum(range(10**9))\n"
    )
    source, sink = node("A", busy), node("B", SINK)
    flow = [{"source": "A", "next": ["B"]}]
    source.begin(stateType="stateful", childs=["B"], **pipeline(flow))
    source.wait_for_lines(1)
    sink.begin(stateType="stateful", parents=["A"], **pipeline(flow))
    sink.know(source)
    assert len(sink.wait_for_lines(200)) == 200
    assert "done" not in source.worker.commands(), "the call has ended too early to tell"
    stop(sink, force=True)
