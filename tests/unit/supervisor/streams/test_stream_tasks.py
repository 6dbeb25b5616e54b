"""Streaming in a task's life: it begins with the task, and its end waits for messages."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.free_ports import free_port
from wrapper.config.settings import Config
from wrapper.ipc import stream_frames
from wrapper.ipc.frames import FrameKind
from wrapper.log import Log
from wrapper.protocol.encoding.encoding import get_encoding
from wrapper.protocol.messages import commands
from wrapper.protocol.task import events
from wrapper.storage.format.header import make_header
from wrapper.streaming.wire import encode_plain
from wrapper.supervisor.loop.poller import Poller
from wrapper.supervisor.streams.stream_tasks import StreamTasks
from wrapper.testing.streams.neighbours import Neighbours

GENERATION = 3
LIMIT = 20.0
JOB = {"kind": "stream", "nodeName": "A", "parents": ["S"], "childs": ["B"]}
DONE = events.Forward(b'{"command":"done"}', final=True)
ERROR = events.Forward(b'{"command":"errorMessage"}', final=True)
STOPPED = events.Send(commands.STOPPED)


class Node:
    """A node's supervisor without its algorithm process: the test plays that."""

    def __init__(self, job: dict[str, Any], **environ: str) -> None:
        self.port = free_port()
        config = Config.from_environ(
            {
                "STORAGE_PROTOCOL": "v3",
                "DEFAULT_STORAGE": "fs",
                "STREAMING_DISCOVERY_PORT": str(self.port),
                "WORKER_ALGORITHM_ENCODING": "json",
                **environ,
            },
            "/",
        )
        self.sent: list[dict[str, Any]] = []
        self.delivered: list[tuple[FrameKind, bytes]] = []
        self.poller = Poller()
        self.tasks = StreamTasks(
            config,
            self.poller,
            lambda call: call(),
            Log("error", "short"),
            lambda message: self.sent.append(json.loads(message)),
            lambda kind, generation, pieces: self.delivered.append((kind, b"".join(pieces))),
        )
        self.tasks.begin(json.dumps({"command": "initialize", "data": job}).encode(), GENERATION)
        self.tasks.allow_reports()

    def send(self, value: Any = 1) -> None:
        """Let the algorithm send a message to the node's child."""
        encoding = get_encoding("msgpack")
        prefix = stream_frames.outgoing_prefix([0], encode_plain([], encoding))
        payload = prefix + make_header(False, "msgpack") + encode_plain(value, encoding)
        self.tasks.take(FrameKind.STREAM_SEND, GENERATION, payload)

    def listen(self) -> None:
        """Let the algorithm ask for messages."""
        payload = stream_frames.command_payload(listen=True)
        self.tasks.take(FrameKind.STREAM_COMMAND, GENERATION, payload)

    def handle_delivered(self) -> None:
        """Let the algorithm handle what was delivered."""
        for kind, payload in self.delivered:
            if kind == FrameKind.STREAM_MESSAGE:
                number = stream_frames.parse_incoming(payload).delivery
                report = stream_frames.handled_payload(number, 1.0)
                self.tasks.take(FrameKind.STREAM_HANDLED, GENERATION, report)
        self.delivered.clear()

    def run_until(self, is_true: Callable[[], object]) -> None:
        """Drive it as the supervisor's loop does."""
        deadline = time.monotonic() + LIMIT
        while not is_true():
            assert time.monotonic() < deadline, "it did not happen"
            self.tasks.tick(time.monotonic())
            self.poller.wait(0.01)

    def wait_for_end(self) -> list[events.Action]:
        """Drive it until what was held back is due."""
        found: list[events.Action] = []

        def is_due() -> bool:
            found.extend(self.tasks.due_end(time.monotonic()))
            return bool(found)

        self.run_until(is_due)
        return found


@pytest.fixture
def node() -> Iterator[Callable[..., Node]]:
    made: list[Node] = []

    def make(job: dict[str, Any] = JOB, **environ: str) -> Node:
        made.append(Node(job, **environ))
        return made[-1]

    yield make
    for each in made:
        each.tasks.end()


@pytest.fixture
def neighbours() -> Iterator[Callable[[Node], Neighbours]]:
    made: list[Neighbours] = []

    def make(node: Node) -> Neighbours:
        made.append(Neighbours("A", ["S"], ["B"], node.port, "msgpack"))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.close()


def stop(is_forced: bool) -> events.StopReceived:
    data = {"forceStop": is_forced}
    return events.StopReceived(json.dumps({"command": "stop", "data": data}).encode())


def commands_of(node: Node) -> list[str]:
    return [message["command"] for message in node.sent]


def test_batch_task_is_left_alone(node: Callable[..., Node]) -> None:
    batch = node({"kind": "batch"})
    assert not batch.tasks.is_active
    assert batch.tasks.held_back([DONE]) == [DONE]
    assert not batch.tasks.holds_stop(stop(False), True)
    batch.send()  # a frame of nobody
    assert batch.tasks.deadline() is None


def test_end_with_an_empty_queue_is_not_held(node: Callable[..., Node]) -> None:
    source = node()
    note = events.DropKeptMessages()
    assert source.tasks.held_back([note, DONE]) == [note, DONE]
    assert not source.tasks.is_active
    assert commands_of(source) == ["streamingStatistics"]


@pytest.mark.parametrize("end", [DONE, ERROR, events.ExitContainer(1, crashed=True)])
def test_end_waits_until_the_messages_are_handled(
    node: Callable[..., Node], neighbours: Callable[[Node], Neighbours], end: events.Action
) -> None:
    source = node()
    for number in range(3):
        source.send(number)
    assert source.tasks.held_back([end]) == []
    assert source.tasks.due_end(time.monotonic()) == []
    around = neighbours(source)
    assert source.wait_for_end() == [end]
    assert [message.value for message in around.sent] == [0, 1, 2]
    assert not source.tasks.is_active
    report = source.sent[-1]["data"][0]
    assert (report["responses"], report["queueSize"]) == (3, 0)


def test_forced_stop_loses_what_waits(node: Callable[..., Node]) -> None:
    source = node()
    source.send()
    assert not source.tasks.holds_stop(stop(True), True)
    assert source.tasks.held_back([STOPPED]) == [STOPPED]


def test_graceful_stop_waits_for_messages_in_hand_and_then_drains(
    node: Callable[..., Node], neighbours: Callable[[Node], Neighbours]
) -> None:
    middle = node()
    around = neighbours(middle)
    around.pause("B", True, LIMIT)
    middle.tasks.discover(
        json.dumps({"command": "serviceDiscoveryUpdate", "data": around.discovery}).encode()
    )
    middle.listen()
    around.send("S", [], "first")
    middle.run_until(lambda: middle.delivered)
    graceful = stop(False)
    assert middle.tasks.holds_stop(graceful, True)
    middle.run_until(lambda: "stopping" in commands_of(middle))
    assert middle.tasks.due_stop(time.monotonic()) is None  # the message is not handled yet
    middle.send("answer")
    middle.handle_delivered()
    found: list[events.StopReceived] = []

    def stop_is_due() -> bool:
        due = middle.tasks.due_stop(time.monotonic())
        found.extend([due] if due is not None else [])
        return bool(found)

    middle.run_until(stop_is_due)
    assert found == [graceful._replace(is_drain=True)]
    assert middle.tasks.held_back([STOPPED]) == []
    around.pause("B", False, LIMIT)
    assert middle.wait_for_end() == [STOPPED]
    assert [message.value for message in around.sent] == ["answer"]


def test_forced_stop_ends_a_drain_at_once(node: Callable[..., Node]) -> None:
    source = node()
    source.send()
    assert source.tasks.held_back([DONE]) == []
    assert not source.tasks.holds_stop(stop(True), False)  # nobody waits for `stopped` yet
    assert source.tasks.due_end(time.monotonic()) == [DONE]


def test_lost_worker_that_does_not_wait_ends_the_stream(node: Callable[..., Node]) -> None:
    for waits in (True, False):
        source = node()
        source.send()
        source.tasks.lose_worker(waits)
        assert source.tasks.is_active is waits


def test_statistics_are_held_back_until_the_task_has_started(node: Callable[..., Node]) -> None:
    source = node(STREAMING_STATISTICS_INTERVAL="0.01")
    source.tasks.begin(json.dumps({"command": "initialize", "data": JOB}).encode(), GENERATION)
    source.sent.clear()
    interval_over = time.monotonic() + 10
    source.tasks.tick(interval_over)
    assert source.sent == []
    source.tasks.allow_reports()
    source.tasks.tick(interval_over + 10)
    assert commands_of(source) == ["streamingStatistics"]
