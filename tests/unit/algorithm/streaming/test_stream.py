"""Listeners, loops and stateless calls of one task."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest

from wrapper.algorithm.streaming.message import SKIP
from wrapper.errors import StreamingError

from .frames import Supervisor

TO_D = [{"source": "B", "next": ["D"]}]
C, D = 0, 1


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor()


def targets(supervisor: Supervisor) -> list[tuple[list[int], Any]]:
    return [(targets, value) for targets, value, _ in supervisor.sent()]


def test_every_listener_gets_each_message_and_errors_stop_nobody(supervisor: Supervisor) -> None:
    stream, got = supervisor.stream, []

    def fail(message: Any, origin: str) -> None:
        raise ValueError(message)

    stream.register(fail)
    stream.register(lambda message, origin: got.append((message, origin)))
    stream.listen()
    stream.listen()  # harmless
    supervisor.deliver(1, "a")
    supervisor.deliver(2, "b", origin="X")
    stream.stop(force=False)
    assert got == [("a", "A"), ("b", "X")]
    assert [str(error) for error in supervisor.errors] == ["a", "b"]
    assert supervisor.handled() == [1, 2]
    assert supervisor.commands() == [{"listen": True}, {"listen": False}]
    assert not stream.is_listening


def test_listening_works_again_after_a_stop(supervisor: Supervisor) -> None:
    stream, got = supervisor.stream, []
    for number in (1, 2):
        stream.register(lambda message, origin: got.append(message))
        stream.listen()
        assert stream.is_listening
        supervisor.deliver(number, number)
        stream.stop(force=False)
    assert got == [1, 2]


def test_listener_may_stop_the_stream(supervisor: Supervisor) -> None:
    stopped = threading.Event()

    def on_message(message: Any, origin: str) -> None:
        supervisor.stream.stop(force=False)
        stopped.set()

    supervisor.stream.register(on_message)
    supervisor.stream.listen()
    supervisor.deliver(1, "a")
    assert stopped.wait(10)


def test_loop_handles_a_message_when_it_asks_for_the_next(supervisor: Supervisor) -> None:
    stream = supervisor.stream
    messages = iter(stream.messages())
    supervisor.deliver(1, "a", TO_D)
    supervisor.deliver(2, "b")
    first = next(messages)
    assert (first.value, first.origin, first.flow) == ("a", "A", TO_D)
    assert supervisor.handled() == []
    assert next(messages).value == "b"
    assert supervisor.handled() == [1]
    stream.end_input()
    with pytest.raises(StopIteration):
        next(messages)
    assert supervisor.handled() == [1, 2]


def test_end_of_a_loop_by_break_handles_its_last_message(supervisor: Supervisor) -> None:
    supervisor.deliver(1, "a")
    for _ in supervisor.stream.messages():
        break
    assert supervisor.handled() == [1]


def test_async_loop_waits_for_messages_and_ends_with_the_task(supervisor: Supervisor) -> None:
    got: list[Any] = []

    async def consume() -> None:
        async for message in supervisor.stream.messages():
            got.append(message.value)
            if message.value == "last":
                threading.Thread(target=supervisor.stream.end_input).start()

    def deliver() -> None:
        supervisor.deliver(1, "a")
        supervisor.deliver(2, "last")

    async def run() -> None:
        consumer = asyncio.create_task(consume())
        await asyncio.sleep(0)  # it waits now
        thread = threading.Thread(target=deliver)
        thread.start()
        await asyncio.wait_for(consumer, 10)
        thread.join()

    asyncio.run(run())
    assert got == ["a", "last"]
    assert supervisor.handled() == [1, 2]


def test_sending_follows_the_message_in_hand_in_asyncio_and_copied_contexts(
    supervisor: Supervisor,
) -> None:
    stream = supervisor.stream

    async def later() -> None:
        stream.send("task")

    async def consume() -> None:
        async for _ in stream.messages():
            await asyncio.create_task(later())
            run = contextvars.copy_context().run
            thread = threading.Thread(target=run, args=(stream.send, "copied"))
            other = threading.Thread(target=stream.send, args=("plain thread",))
            for each in (thread, other):
                each.start()
                each.join()
            stream.send("named", "main")
            stream.end_input()

    supervisor.deliver(1, "a", TO_D)
    asyncio.run(consume())
    assert targets(supervisor) == [
        ([D], "task"),
        ([D], "copied"),
        ([C], "plain thread"),
        ([C], "named"),
    ]


def test_message_sends_along_its_own_flow_at_any_time(supervisor: Supervisor) -> None:
    supervisor.deliver(1, "a", TO_D)
    supervisor.deliver(2, "b")
    messages = iter(supervisor.stream.messages())
    first = next(messages)
    next(messages)
    first.send("late")
    assert targets(supervisor) == [([D], "late")]


def run_stateless(supervisor: Supervisor, start: Any, sends_results: bool = True) -> None:
    supervisor.stream._inbox.put(None)  # HKube stops the task after these messages
    supervisor.stream.run_stateless(start, {"input": [5]}, sends_results)


def test_stateless_start_gets_each_message_and_its_result_goes_on(supervisor: Supervisor) -> None:
    calls: list[Any] = []

    def start(data: dict[str, Any]) -> Any:
        calls.append(data)
        message = data["streamInput"]["message"]
        return SKIP if message == "b" else None if message == "c" else message * 2

    for number, text in enumerate("abc"):
        supervisor.deliver(number, text, TO_D)
    run_stateless(supervisor, start)
    assert calls[0] == {"input": [5], "streamInput": {"message": "a", "origin": "A"}}
    assert targets(supervisor) == [([D], "aa"), ([D], None)]
    assert supervisor.handled() == [0, 1, 2]


def test_stateless_node_without_children_sends_nothing(supervisor: Supervisor) -> None:
    supervisor.deliver(1, "a")
    run_stateless(supervisor, lambda data: 1, sends_results=False)
    assert supervisor.sent() == []


def test_stateless_failure_ends_the_loop_and_reports_the_message(supervisor: Supervisor) -> None:
    def fail(data: dict[str, Any]) -> None:
        raise ValueError("no")

    supervisor.deliver(1, "a")
    supervisor.deliver(2, "b")
    with pytest.raises(ValueError, match="no"):
        run_stateless(supervisor, fail)
    assert supervisor.handled() == [1]


def test_nothing_is_sent_or_received_after_the_end(supervisor: Supervisor) -> None:
    supervisor.stream.end()
    supervisor.deliver(1, "a")
    assert list(supervisor.stream.messages()) == []
    with pytest.raises(StreamingError, match="close had been applied"):
        supervisor.stream.send(1)
