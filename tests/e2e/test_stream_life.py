"""What happens to messages when pods come, go, reload and end."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from .harness.stream_node import StreamNode, pipeline, stop

FLOW = [{"source": "A", "next": ["B"]}]
COUNT = 200

SOURCE = """
import time

def start(args, api):
    for number in range(*args["input"]):
        api.send_message(number)
    while not api.stop_requested:
        time.sleep(0.01)
"""
SINK = """
def start(args, api):
    for message in api.messages():
        print(message.value, flush=True)
"""
SLOW_TO_INITIALIZE = "import time\ndef initialize(args):\n    time.sleep(0.3)\n" + SINK
RESETS = """
def start(args, api):
    for number in range(10):
        api.send_message(number)
    api.reset_queue_partial(4)
    print(api.streaming_statistics()["statisticsPerNode"], flush=True)
    api.resetQueue()
    print(api.get_streaming_statistics(), flush=True)
    api.send_message("after")
"""

MakeNode = Callable[..., StreamNode]


def begin_source(source: StreamNode, *numbers: int) -> None:
    source.begin(*numbers, stateType="stateful", childs=["B"], **pipeline(FLOW))


def begin_sink(sink: StreamNode) -> None:
    sink.begin(stateType="stateful", parents=["A"], **pipeline(FLOW))


def numbers(*values: int) -> list[str]:
    return [str(number) for number in range(*values)]


def last_report(node: StreamNode) -> dict[str, Any]:
    reports = [each for each in node.worker.received if each.command == "streamingStatistics"]
    return dict(reports[-1].data[0])


def test_parents_that_are_known_before_the_start_are_kept(node: MakeNode) -> None:
    source, sink = node("A", SOURCE), node("B", SLOW_TO_INITIALIZE)
    begin_source(source, COUNT)
    sink.worker.initialize(
        nodeName="B", kind="stream", stateType="stateful", parents=["A"], **pipeline(FLOW)
    )
    sink.know(source)
    sink.worker.expect("initialized")
    sink.worker.send("start", {})
    assert sink.wait_for_lines(COUNT) == numbers(COUNT)
    stop(sink, force=True)
    stop(source, force=True)


def test_several_pods_of_a_parent_are_asked_and_share_nothing(node: MakeNode) -> None:
    first, second, sink = node("A", SOURCE), node("A", SOURCE), node("B", SINK)
    begin_source(first, COUNT)
    begin_source(second, 1000, 1000 + COUNT)
    begin_sink(sink)
    sink.know(first, second)
    lines = sink.wait_for_lines(2 * COUNT)
    assert [line for line in lines if int(line) < 1000] == numbers(COUNT)
    assert [line for line in lines if int(line) >= 1000] == numbers(1000, 1000 + COUNT)
    for each in (sink, first, second):
        stop(each, force=True)


def test_new_pod_at_the_address_of_an_old_one_is_found(node: MakeNode) -> None:
    old, sink = node("A", SOURCE), node("B", SINK)
    begin_source(old, COUNT)
    begin_sink(sink)
    sink.know(old)
    sink.wait_for_lines(COUNT)
    stop(old, force=True)
    old.worker.send("exit", {"exitCode": 0})
    old.wrapper.wait()
    new = node("A", SOURCE, old.port)
    begin_source(new, COUNT, 2 * COUNT)
    sink.know(old, change="Del")
    sink.know(new)
    # Del ends the connection, which may have reached the new pod already: what it had fetched comes
    # again, after the others.
    sink.wrapper.wait_until(
        lambda: set(numbers(2 * COUNT)) <= set(sink.lines()), "all messages", 20
    )
    stop(sink, force=True)
    stop(new, force=True)


def test_sigterm_hands_over_what_waits(node: MakeNode) -> None:
    source, sink = node("A", SOURCE), node("B", SINK)
    begin_source(source, COUNT)
    source.statistics(lambda each: each["queueSize"] == COUNT)
    source.wrapper.signal(signal.SIGTERM)
    begin_sink(sink)
    sink.know(source)
    assert sink.wait_for_lines(COUNT) == numbers(COUNT)
    assert source.wrapper.wait() == 143
    stop(sink, force=True)


def test_reset_drops_what_waits_and_statistics_count_it(node: MakeNode) -> None:
    source, sink = node("A", RESETS), node("B", SINK)
    begin_source(source)
    lines = source.wait_for_lines(2)
    assert lines[0] == "[{'nodeName': 'B', 'sent': 0, 'queueSize': 6, 'dropped': 4}]"
    assert "'binarySize': 0" in lines[1]
    assert "'queueSize': 0, 'dropped': 10" in lines[1]
    begin_sink(sink)
    sink.know(source)
    assert sink.wait_for_lines(1) == ["after"]
    source.worker.wait_for("done")
    report = last_report(source)
    assert (report["sent"], report["responses"], report["dropped"]) == (1, 1, 10)
    stop(sink, force=True)


def test_queue_survives_a_reload_of_the_code(node: MakeNode) -> None:
    source, sink = node("A", SOURCE, DEV_MODE="true"), node("B", SINK)
    begin_source(source, COUNT)
    source.statistics(lambda each: each["queueSize"] == COUNT)
    (source.wrapper.work / "main.py").write_text(SOURCE + "\n# changed\n")
    source.wrapper.wait_for_log("reloading it")
    begin_sink(sink)
    sink.know(source)
    assert sink.wait_for_lines(COUNT) == numbers(COUNT)
    stop(sink, force=True)
