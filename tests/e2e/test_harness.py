"""The harness itself: the rules find violations, and the worker follows its script."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from .harness import frames, rules
from .harness.events import CONNECTED, DISCONNECTED, JUNK, RECEIVED, SENT, Message
from .harness.worker import ExpectedError, ScriptedWorker

STEPS = {"→": SENT, "←": RECEIVED}


def story(*steps: str, until: float = 0.0) -> list[str]:
    """Check steps such as "→ initialize" or "← alive @3" (a time; the previous one by default)."""
    events, now = [Message(0.0, CONNECTED)], 0.0
    for step in steps:
        arrow, command, *at = step.split()
        now = float(at[0][1:]) if at else now
        events.append(Message(now, STEPS.get(arrow, arrow), command=command))
    return rules.violations(events, until or now)


BEGIN = ("→ initialize", "← initialized", "→ start", "← started")


def test_plain_task_breaks_no_rule() -> None:
    assert story(*BEGIN, "← alive @5", "← alive @14", "← done @20", until=100) == []


def test_task_sent_during_a_stop_breaks_no_rule() -> None:
    later = ("→ initialize", "← stopped", "← initialized", "→ start", "← started", "← done")
    assert story(*BEGIN, "→ stop", *later) == []
    assert len(story(*BEGIN, "→ stop", *later, "← alive")) == 1


def test_stopped_task_breaks_no_rule() -> None:
    steps = (*BEGIN, "→ stop @1", "← stopping @8", "← stopping @16", "← done @17", "← stopped @18")
    assert story(*steps, until=100) == []


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((*BEGIN, "← alive @1", "← alive @12"), "no `alive` for 11.0 s"),
        ((*BEGIN, "← alive @1", "← done @12"), "no `alive`"),
        ((*BEGIN, "← done", "← done"), "no task runs"),
        ((*BEGIN, "← done", "← alive"), "no task runs"),
        ((*BEGIN, "→ stop", "← stopped", "← done"), "no task runs"),
        (("← alive",), "no task runs"),
        ((*BEGIN, "→ stop @1", "← alive @2", "← stopped @12"), "not answered within 10 s"),
        ((*BEGIN, "← stopping"), "no stop is waiting"),
        (("→ initialize", "← done"), "not started"),
    ],
)
def test_broken_rule_is_reported(steps: tuple[str, ...], text: str) -> None:
    assert any(text in fault for fault in story(*steps))


def test_silence_is_checked_to_the_end_of_the_record() -> None:
    assert story(*BEGIN, "← alive @1", until=10) == []
    assert len(story(*BEGIN, "← alive @1", "→ stop @1", until=12)) == 2


def test_lost_connection_stops_the_timers() -> None:
    events = [
        Message(0, CONNECTED),
        Message(0, SENT, command="initialize"),
        Message(1, RECEIVED, command="alive"),
        Message(2, DISCONNECTED),
        Message(30, CONNECTED),
    ]
    assert rules.violations(events, 60) == []


def test_two_connections_at_once_break_a_rule() -> None:
    assert rules.violations([Message(0, CONNECTED), Message(1, CONNECTED)], 1) != []


def test_junk_that_looks_like_a_command_suspends_the_rules_until_the_next_task() -> None:
    junk = Message(0, JUNK, raw='{"command":"initialize"}')
    alive = Message(0, RECEIVED, command="alive")
    first = [Message(0, CONNECTED), junk, alive]
    second = [
        Message(0, SENT, command="initialize"),
        Message(0, SENT, command="stop"),
        Message(0, RECEIVED, command="stopped"),
        alive,
    ]
    assert rules.violations(first, 0) == []
    assert len(rules.violations(first + second, 0)) == 1


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
def test_frames_survive_the_round_trip(encoding: str) -> None:
    message = {"command": "start", "data": {"text": "é", "list": [1, 2.5, None]}}
    assert frames.decode(frames.encode(message, encoding), encoding) == message


@pytest.mark.parametrize("raw", ["{", '{"a":NaN}', '{"a":Infinity}', b'{"a":1}', ""])
def test_frames_that_kill_the_real_worker_are_refused(raw: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|binary|Expecting"):
        frames.decode(raw, "json")


@pytest.fixture
def worker() -> Iterator[ScriptedWorker]:
    scripted = ScriptedWorker()
    yield scripted
    scripted.close()


def client(worker: ScriptedWorker) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{worker.port}/?storage=v1&encoding=json")


def say(link: ClientConnection, command: str, **body: object) -> None:
    link.send(json.dumps({"command": command, **body}))


def test_worker_runs_a_task_with_a_simple_client(worker: ScriptedWorker) -> None:
    with client(worker) as link:
        worker.wait_connected()
        assert worker.queries == [{"storage": "v1", "encoding": "json"}]
        worker.initialize("x")
        assert json.loads(link.recv())["data"]["input"] == ["x"]
        say(link, "initialized")
        worker.expect("initialized")
        worker.send("start")
        assert json.loads(link.recv()) == {"command": "start"}
        say(link, "alive")
        say(link, "done", data=[1])
        assert worker.finish().data == [1]
        assert worker.broken_rules() == []
        say(link, "alive")
        worker.wait_until(lambda: len(worker.broken_rules()) == 1, 5, "broken rule")


def test_worker_answers_automatically_and_pings(worker: ScriptedWorker) -> None:
    worker.answers["ask"] = lambda message: ("answer", message.data)
    with client(worker) as link:
        worker.wait_connected()
        worker.ping()
        say(link, "ask", data=7)
        assert json.loads(link.recv()) == {"command": "answer", "data": 7}


def test_worker_reports_a_frame_that_would_kill_it(worker: ScriptedWorker) -> None:
    with client(worker) as link:
        link.send('{"command":"done","data":NaN}')
        worker.wait_until(lambda: bool(worker.received), 5, "frame")
    assert "kills the real worker" in worker.broken_rules()[0]


def test_worker_disconnects_refuses_and_accepts_again(worker: ScriptedWorker) -> None:
    with client(worker) as link:
        worker.wait_connected()
        worker.stop_listening()
        worker.drop()
        with pytest.raises(ConnectionClosed):
            link.recv(timeout=5)
    with pytest.raises(ConnectionRefusedError):
        client(worker)
    worker.listen()
    with client(worker) as link:
        worker.wait_connected(2)
        worker.hang_up(4001)
        with pytest.raises(ConnectionClosed):
            link.recv(timeout=5)
        assert link.close_code == 4001


def test_worker_disconnects_at_a_frame_that_is_too_large() -> None:
    worker = ScriptedWorker(max_size=1000)
    try:
        with client(worker) as link:
            worker.wait_connected()
            link.send("x" * 1001)
            worker.wait_disconnected()
            with pytest.raises(ConnectionClosed):
                link.recv(timeout=5)
            assert link.close_code == 1009
    finally:
        worker.close()


def test_failed_wait_shows_the_record(worker: ScriptedWorker) -> None:
    with client(worker) as link:
        say(link, "odd")
        worker.wait_until(lambda: bool(worker.received), 5, "frame")
        with pytest.raises(ExpectedError, match=r"(?s)expected even.*connected.*odd"):
            worker.expect("even")
        worker.expect_silence(0.1)
        say(link, "odd")
        with pytest.raises(AssertionError, match="expected nothing"):
            worker.expect_silence(5)
