"""Streaming nodes under test, in a thread and in processes, over real connections."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import EncodingError
from wrapper.testing import AlgorithmFailed, HKube, Stream
from wrapper.testing.request.wrong_use import WrongUse

FLOW = "source >> main >> sink"

DOUBLE = """
    def start(args, hkubeApi):
        return args["streamInput"]["message"] * 2
"""
SOURCE = """
    def start(args, hkubeApi):
        for number in range(args["input"][0]):
            hkubeApi.send_message(number)
"""
ENDLESS = """
    import time

    def start(args, hkubeApi):
        hkubeApi.send_message("first")
        while not hkubeApi.stop_requested:
            time.sleep(0.01)
        hkubeApi.send_message("last")

    def stop(args):
        pass  # without it, the loop would be interrupted at once
"""
TOTAL = """
    def start(args, hkubeApi):
        total = 0
        for message in hkubeApi.messages():
            total += message.value
            message.send(total)
"""


@pytest.fixture
def hkube(tmp_path: Path) -> Iterator[HKube]:
    hkube = HKube([tmp_path])
    yield hkube
    hkube.close()


Open = Callable[..., Stream]


@pytest.fixture
def open_stream(hkube: HKube, tmp_path: Path) -> Open:
    """Start a stream of an algorithm that is given by its text."""

    def open_stream(text: str, flows: Any = FLOW, **arguments: Any) -> Stream:
        (tmp_path / "main.py").write_text(textwrap.dedent(text))
        return hkube.stream("main.py", flows=flows, **arguments)

    return open_stream


def values(stream: Stream, *arguments: Any, **named: Any) -> list[Any]:
    return [message.value for message in stream.sent(*arguments, **named)]


both = pytest.mark.parametrize("isolated", [False, True], ids=["in-process", "isolated"])


@both
def test_stateless_node_answers_each_message(open_stream: Open, isolated: bool) -> None:
    stream = open_stream(DOUBLE, isolated=isolated)
    stream.send(1)
    stream.send("ab")
    assert values(stream) == [2, "abab"]
    stream.send(b"\x00\xff")
    assert values(stream) == [2, "abab", b"\x00\xff\x00\xff"]
    outcome = stream.stop()
    assert outcome.stopped
    assert outcome.error is None
    assert values(stream) == [2, "abab", b"\x00\xff\x00\xff"]  # also after the end


@both
def test_source_is_waited_for_until_its_start_returns(open_stream: Open, isolated: bool) -> None:
    stream = open_stream(SOURCE, "main >> sink", input=[3], isolated=isolated)
    assert values(stream) == [0, 1, 2]
    assert not stream.stop().stopped


@both
def test_graceful_stop_hands_over_what_is_sent_at_the_end(
    open_stream: Open, isolated: bool
) -> None:
    stream = open_stream(ENDLESS, "main >> sink", isolated=isolated)
    assert values(stream, count=1) == ["first"]
    assert stream.stop(force=False).stopped
    assert values(stream) == ["first", "last"]


@both
def test_stateful_node_takes_messages_in_a_loop(open_stream: Open, isolated: bool) -> None:
    stream = open_stream(TOTAL, stateless=False, isolated=isolated)
    for number in (1, 2, 3):
        stream.send(number)
    assert values(stream) == [1, 3, 6]


@both
def test_failure_of_the_node_fails_the_test(open_stream: Open, isolated: bool) -> None:
    stream = open_stream(DOUBLE, isolated=isolated)
    stream.send({})
    with pytest.raises(AlgorithmFailed, match="unsupported operand"):
        stream.sent()
    error = stream.stop().error
    assert error is not None
    assert "(main.py:3, in start)" in error.message
    with pytest.raises(WrongUse, match="has ended"):
        stream.send(1)


def test_crash_of_an_isolated_node_is_reported(open_stream: Open) -> None:
    stream = open_stream("import os\ndef start(args, hkubeApi):\n    os._exit(7)\n", isolated=True)
    stream.send(1)
    with pytest.raises(AlgorithmFailed, match="exit code 7|crash"):
        stream.sent()


def test_exception_keeps_its_traceback_in_the_test_process(open_stream: Open) -> None:
    stream = open_stream(DOUBLE)
    stream.send({})
    with pytest.raises(AlgorithmFailed):
        stream.sent()
    error = stream.stop().error
    assert error is not None
    assert isinstance(error.exception, TypeError)


def test_failure_that_the_test_ignores_is_reported_at_its_end(
    tmp_path: Path,
) -> None:
    (tmp_path / "main.py").write_text("def start(args, hkubeApi):\n    raise ValueError('no')\n")
    hkube = HKube([tmp_path])
    stream = hkube.stream("main.py", flows="main >> sink")
    stream._run.wait(lambda: stream._run.has_failed, "fail")
    with pytest.raises(AlgorithmFailed, match="no"):
        hkube.close()


def test_messages_follow_the_flow_that_brought_them(open_stream: Open) -> None:
    flows = {"red": "a >> main >> b", "blue": "c >> main >> d >> b", "own": "main >> d"}
    stream = open_stream(DOUBLE, flows)
    stream.send(1, origin="a")
    stream.send(2, origin="c")
    stream.send(3, flow="blue")
    sent = {(message.value, message.node) for message in stream.sent()}
    assert sent == {(2, "b"), (4, "d"), (6, "d")}
    [first, *_] = stream.sent(node="d")
    assert first.flow == [{"source": "d", "next": ["b"]}]
    assert values(stream, node="b") == [2]


def test_node_sees_the_origin_and_the_rest_of_the_flow(open_stream: Open) -> None:
    text = """
        def start(args, hkubeApi):
            for message in hkubeApi.messages():
                hkubeApi.send_message([message.origin, message.flow])
    """
    stream = open_stream(text, "first >> second >> main >> sink", stateless=False)
    stream.send(None)
    assert values(stream) == [["second", [{"source": "main", "next": ["sink"]}]]]


def test_pod_that_dies_with_a_message_gets_it_again(open_stream: Open) -> None:
    stream = open_stream(DOUBLE)
    stream.lose_pod()
    stream.send(1)
    stream.send(2)
    assert values(stream) == [2, 4]
    report = stream.statistics()
    assert (report["redelivered"], report["dropped"]) == (1, 0)


def test_message_that_three_pods_died_with_is_dropped(open_stream: Open) -> None:
    stream = open_stream(DOUBLE)
    stream.lose_pod(times=3)
    stream.send(1)
    stream.send(2)
    assert values(stream) == [4]
    assert stream.statistics("sink")["dropped"] == 1


def test_full_queue_drops_the_oldest_messages(open_stream: Open) -> None:
    stream = open_stream(DOUBLE, buffer_mb=1)
    stream.pause()
    for letter in (b"a", b"b", b"c"):
        stream.send(letter * 250_000)  # 500,000 bytes as the node's answer
    assert values(stream) == []
    assert stream.statistics()["dropped"] == 1
    stream.resume()
    assert [value[:1] for value in values(stream)] == [b"b", b"c"]


def test_slow_branch_does_not_hold_up_the_other(open_stream: Open) -> None:
    stream = open_stream(DOUBLE, "source >> main >> fast & slow")
    stream.slow_down(600, node="slow")
    for number in range(20):
        stream.send(number)
    assert len(stream.sent(20, node="fast")) == 20
    assert len(stream.sent(1, node="slow")) == 1


def test_message_that_cannot_be_decoded_is_skipped(open_stream: Open) -> None:
    stream = open_stream(DOUBLE)
    stream.send_undecodable()
    stream.send(1)
    assert values(stream) == [2]


def test_what_one_node_sent_can_be_replayed_to_the_next(open_stream: Open, tmp_path: Path) -> None:
    recorded = tmp_path / "messages.jsonl"
    with open_stream(SOURCE, "main >> second", input=[3]) as source:
        source.sent()
        source.save(recorded)
    assert json.loads(recorded.read_text().splitlines()[1]) == {"node": "main", "message": 1}
    with open_stream(DOUBLE, "main >> second >> sink", nodeName="second") as second:
        second.replay(recorded)
        assert values(second) == [0, 2, 4]


def test_async_loop_ends_with_a_graceful_stop(open_stream: Open) -> None:
    text = """
        async def start(args, hkubeApi):
            async for message in hkubeApi.messages():
                message.send(-message.value)
            hkubeApi.send_message("end", "flow")
    """
    stream = open_stream(text, stateless=False)
    stream.send(5)
    assert values(stream) == [-5]
    stream.stop(force=False)
    assert values(stream) == [-5, "end"]


def test_stop_interrupts_code_that_runs_on_in_the_thread(open_stream: Open) -> None:
    text = """
        def start(args, hkubeApi):
            hkubeApi.send_message("running")
            while True:
                sum(range(100))
    """
    stream = open_stream(text, "main >> sink")
    stream.sent(count=1)
    assert stream.stop().stopped


def test_node_that_never_listens_is_named(open_stream: Open) -> None:
    stream = open_stream(ENDLESS, stateless=False, timeout=0.5)
    stream.send(1)
    with pytest.raises(AlgorithmFailed, match="did not handle 1 messages; does it listen"):
        stream.sent()


def test_too_few_messages_are_counted(open_stream: Open) -> None:
    stream = open_stream(SOURCE, "main >> sink", input=[2])
    with pytest.raises(AlgorithmFailed, match="sent 2 messages before its end, not 3"):
        stream.sent(count=3)


def test_output_and_calls_are_in_the_outcome(open_stream: Open, hkube: HKube) -> None:
    hkube.answer_algorithm("double", lambda input: input[0] * 2)
    text = """
        def start(args, hkubeApi):
            print("got", args["streamInput"]["message"])
            return hkubeApi.start_algorithm("double", [args["streamInput"]["message"]])
    """
    stream = open_stream(text)
    stream.send(4)
    assert values(stream) == [8]
    outcome = stream.stop()
    assert "got 4" in outcome.logs
    assert [call.name for call in outcome.calls] == ["double"]
    assert "streamingStatistics" not in {message["command"] for message in outcome.messages}


def test_only_one_algorithm_runs_in_the_process(open_stream: Open, hkube: HKube) -> None:
    stream = open_stream(DOUBLE)
    with pytest.raises(WrongUse, match="isolated=True"):
        hkube.stream("main.py", flows=FLOW)
    with pytest.raises(WrongUse, match="isolated=True"):
        hkube.run("main.py")
    stream.stop()
    hkube.stream("main.py", flows=FLOW).stop()


def test_isolated_node_leaves_the_process_free(open_stream: Open, hkube: HKube) -> None:
    stream = open_stream(DOUBLE, isolated=True)
    assert hkube.run(lambda args: 5).result == 5
    stream.send(1)
    assert values(stream) == [2]


def test_two_isolated_nodes_run_side_by_side(open_stream: Open) -> None:
    first, second = (open_stream(DOUBLE, isolated=True) for _ in range(2))
    first.send(1)
    second.send(2)
    assert (values(first), values(second)) == ([2], [4])


def test_value_that_cannot_be_sent_is_refused(open_stream: Open) -> None:
    with pytest.raises(EncodingError):
        open_stream(DOUBLE).send(object())


def test_mistyped_argument_is_corrected(open_stream: Open) -> None:
    with pytest.raises(WrongUse, match="hkube.stream has no argument 'statless': did you mean"):
        open_stream(DOUBLE, statless=True)
