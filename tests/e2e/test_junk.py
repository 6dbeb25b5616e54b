"""No input from the worker can crash the wrapper: the next task always runs."""

from __future__ import annotations

import random

import pytest

from .conftest import Serve
from .harness import frames
from .harness.worker import ScriptedWorker

TEXTS = [
    "",
    " ",
    "not json",
    "{",
    "null",
    "[]",
    "7",
    '"initialize"',
    "{}",
    '{"command":null}',
    '{"command":7,"data":{}}',
    '{"command":["start"]}',
    '{"command":{"a":1}}',
    '{"command":""}',
    '{"command":"frobnicate","data":{}}',
    '{"command":"alive"}',
    '{"command":"done","data":1}',
    '{"data":{"input":[1]}}',
    '{"command":"start"}',
    '{"command":"start","data":"text"}',
    '{"command":"stop","data":[1,2]}',
    '{"command":"stop","data":{"forceStop":"maybe"}}',
    '{"command":"subPipelineDone"}',
    '{"command":"subPipelineDone","data":null}',
    '{"command":"subPipelineDone","data":[]}',
    '{"command":"subPipelineDone","data":{"subPipelineId":{"a":1},"response":1}}',
    '{"command":"subPiplineStopped","data":{"subPipelineId":"none"}}',
    '{"command":"algorithmExecutionError","data":7}',
    '{"command":"dataSourceResponse","data":"x"}',
    '{"command":"serviceDiscoveryUpdate","data":[{"nodeName":"n","type":"Add"}]}',
    '{"command":"serviceDiscoveryUpdate"}',
    '{"command":"streamingInMessage","data":{}}',
    '{"command":"streamingInMessage"}',
    '{"command":"alreadyConnected"}',
    '{"command":"frob","data":' + "[" * 100_000 + "]" * 100_000 + "}",
    "[" * 100_000,
    '{"command":"x","command":"y"}',
    '{"command":"frob","data":NaN}',
    '{"command":"\\ud800"}',
    '{"command":"' + "x" * 100_000 + '"}',
    "\x00\x01\x02",
    '\ufeff{"command":"frob"}',
]


def runs(worker: ScriptedWorker, value: object) -> None:
    """Run a task; skip the answers to the junk itself."""
    worker.initialize(value)
    worker.wait_for("initialized")
    worker.send("start")
    worker.wait_until(lambda: worker.received[-1].data == value, 10, f"result {value!r}")
    worker.wait_for("done")


@pytest.mark.parametrize("first", range(0, len(TEXTS), 6))
def test_junk_crashes_nothing(serve: Serve, first: int) -> None:
    worker, _ = serve("one_argument")
    for number, text in enumerate(TEXTS[first : first + 6]):
        worker.junk(text)
        runs(worker, f"after {number}")
        worker.begin("with junk in the middle of it")
        worker.junk(text)
        runs(worker, f"after {number} again")
    assert worker.connections == 1


def test_all_junk_on_one_connection(serve: Serve) -> None:
    worker, wrapper = serve("one_argument")
    for text in TEXTS:
        worker.junk(text)
    runs(worker, "still here")
    assert wrapper.is_running


@pytest.mark.parametrize(
    "data", ["null", "7", "[]", '"text"', "{}", '{"input":null}', '{"input":7,"info":[]}']
)
def test_task_with_invalid_data_is_answered(serve: Serve, data: str) -> None:
    worker, _ = serve("any_arguments")
    worker.junk(f'{{"command":"initialize","data":{data}}}')
    message = worker.next_message()
    assert message.command in ("initialized", "errorMessage")
    if message.command == "initialized":
        worker.send("start")
        assert worker.wait_for("done", "errorMessage")
    assert worker.run(1) == [2, []]


def test_task_in_a_truncated_frame_is_answered_or_ignored(serve: Serve) -> None:
    """The start names the command, but the rest cannot be decoded by the algorithm process."""
    worker, _ = serve("one_argument")
    worker.junk('{"command":"initialize","data":{"input":[')
    worker.junk('{"command":"start","data":{')
    worker.junk('{"command":"stop","data":{')
    worker.wait_for("stopped")
    assert worker.run(1) == 1


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
def test_damaged_messages(serve: Serve, encoding: str) -> None:
    """Real messages with random damage; seeded, so that failures can be reproduced."""
    worker, wrapper = serve("any_arguments", env={"WORKER_ALGORITHM_ENCODING": encoding})
    chance = random.Random(encoding)
    for _ in range(300):
        command = chance.choice(["initialize", "start", "stop", "subPipelineDone", "odd"])
        data = {"input": [1, {"a": "b"}], "subPipelineId": "1", "forceStop": True}
        frame = frames.encode({"command": command, "data": data}, encoding)
        damaged = bytearray(frame.encode() if isinstance(frame, str) else frame)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(128)
        del damaged[chance.randrange(len(damaged) * 2) :]
        worker.junk(damaged.decode() if encoding == "json" else bytes(damaged))
    worker.ping()
    worker.send("stop")
    worker.wait_until(lambda: worker.commands()[-1:] == ["stopped"], 10, "stopped")
    runs(worker, [2, []])
    assert wrapper.is_running


def test_order_of_keys_and_spaces_do_not_matter(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.junk(' { "data" : {"input": ["far"], "note": "command"} , "command" : "initialize" } ')
    worker.expect("initialized")
    worker.junk('{"data":{"x":"' + "y" * 10_000 + '"},"command":"start"}')
    worker.expect("started")
    assert worker.finish().data == "far"


def test_command_inside_the_data_is_not_a_command(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.junk('{"data":{"command":"exit","input":["x"]},"command":"initialize"}')
    worker.expect("initialized")
    worker.send("start")
    worker.expect("started")
    assert worker.finish().data == "x"


def test_binary_frames_in_a_json_session(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.junk(b"\x00\xff\xfe")
    worker.junk(b"")
    assert worker.run(1) == 1


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_junk_in_binary_encodings(serve: Serve, encoding: str) -> None:
    worker, _ = serve("one_argument", env={"WORKER_ALGORITHM_ENCODING": encoding})
    junk: list[str | bytes] = [b"", b"\xc1", b"\x00" * 5, b"\xff" * 100, b"\x81", "text", ""]
    junk += [
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xff\xff\xff\x7f\x00",
        b"\x93" * 999,
    ]
    for raw in junk:
        worker.junk(raw)
    assert worker.run(1) == 1
    assert worker.connections == 1


def test_pings_between_fragments(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.ping()
    worker.junk(['{"comm', 'and":"initialize","data":{"inp', "", 'ut":["in parts"]}}'])
    worker.expect("initialized")
    worker.ping()
    worker.send("start")
    worker.expect("started")
    assert worker.finish().data == "in parts"
    worker.ping()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x81\x02\xc3\x28",  # a text that is not UTF-8
        b"\xc1\x00",  # a reserved bit
        b"\x83\x00",  # an unknown opcode
        b"\x81\x80\x00\x00\x00\x00",  # masked, which servers must not do
        b"\x80\x01x",  # a continuation without a first frame
        b"\x89\x7e\x01\x00" + b"x" * 256,  # a ping that is too long
        b"\x88\x01x",  # a close frame with half a code
        b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",  # a message of 2**64 - 1 bytes
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ],
    ids=lambda raw: raw[:4].hex(),
)
def test_broken_websocket_stream_is_replaced(serve: Serve, raw: bytes) -> None:
    worker, wrapper = serve("one_argument")
    worker.junk_bytes(raw)
    if raw == b"\x81\x02\xc3\x28":  # may count as a message that is not JSON
        worker.ping()
    else:
        worker.wait_connected(2)
    assert worker.run(1) == 1
    assert wrapper.is_running


def test_flood_of_unknown_messages_is_one_line_in_ten_seconds(serve: Serve) -> None:
    worker, wrapper = serve("one_argument")
    for number in range(500):
        worker.junk(f'{{"command":"unknown-{number}"}}')
    assert worker.run(1) == 1
    assert wrapper.stderr.count("ignored an unknown command") == 1
    worker.send("exit", {"exitCode": 0})
    wrapper.wait()
    assert "'unknown-499' (499 dropped or ignored in 10 s)" in wrapper.stderr
