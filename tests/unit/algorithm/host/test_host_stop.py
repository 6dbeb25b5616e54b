"""Stopping what runs in the algorithm process, with and without a stop function."""

from __future__ import annotations

import asyncio
import sys
from threading import Event
from typing import Any

import pytest

from tests.unit.support.driver import LIMIT, Calls, Driver, begin, loads
from wrapper.errors import AlgorithmStopped
from wrapper.ipc.frames import FrameKind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pthread_kill")


# -------------------------------------------------------------------------- nothing runs --
def test_a_stop_when_idle_is_answered(driver: Driver) -> None:
    def script() -> None:
        driver.send(FrameKind.STOP, 1, {"forceStop": False})
        assert driver.receive().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(lambda args: None))


@pytest.mark.parametrize(
    ("data", "call"),
    [({"forceStop": True}, "stop main True"), ({}, "stop main None"), (None, "stop main None")],
)
def test_a_stop_when_idle_calls_the_users_stop(
    driver: Driver, user: Calls, data: Any, call: str
) -> None:
    def script() -> None:
        driver.send(FrameKind.STOP, 1, data)
        assert driver.receive(FrameKind.STOP_COMPLETED).generation == 1

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.record == [call]


def test_an_undecodable_stop_is_still_a_stop(driver: Driver, user: Calls) -> None:
    def script() -> None:
        driver.send(FrameKind.STOP, 1, raw=b'{"command":"stop","data":')
        driver.receive(FrameKind.STOP_COMPLETED)

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.record == ["stop main None"]


def test_a_task_that_was_stopped_before_it_began_does_not_run(driver: Driver, user: Calls) -> None:
    """The stop overtakes the task: it comes through the other pipe as well."""
    stopped = Event()

    def stop(args: Any) -> None:
        stopped.set()

    def load() -> Any:
        driver.send(FrameKind.TASK, 1, {})
        driver.send(FrameKind.STOP, 2, {})
        while driver.user.is_current(1):  # until the listening thread has handled it
            pass
        return loads(user.start, stop=stop)()

    driver.serve(lambda: driver.receive(FrameKind.STOP_COMPLETED), load)

    assert user.record == []
    assert stopped.is_set()


def test_between_initialize_and_start(driver: Driver, user: Calls) -> None:
    def script() -> None:
        driver.send(FrameKind.INITIALIZE, 1, {})
        driver.receive(FrameKind.INITIALIZE_COMPLETED)
        driver.send(FrameKind.STOP, 2, {})
        driver.receive(FrameKind.STOP_COMPLETED)
        driver.send(FrameKind.START, 1)  # it crossed the stop
        user.released.set()
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start))

    assert user.record == ["start"]


# ----------------------------------------------------------------------------- start runs --
def test_the_users_stop_runs_beside_start(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {"forceStop": True})
        received = driver.receive()
        assert (received.kind, received.generation) == (FrameKind.STOP_COMPLETED, 2), (
            "and no `done` before it"
        )
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.record == ["start", "stop beside True", "start"]


def test_without_a_users_stop_start_is_interrupted(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        driver.send(FrameKind.INTERRUPT, 2)
        received = driver.receive()
        assert (received.kind, received.generation) == (FrameKind.STOP_COMPLETED, 2), (
            "no errorMessage before it"
        )
        user.released.set()
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start))

    assert user.record == ["start", "stopped", "start"]
    assert "failed" not in driver.log


def test_initialize_can_be_interrupted_and_then_start_does_not_run(
    driver: Driver, user: Calls
) -> None:
    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        driver.send(FrameKind.INTERRUPT, 2)
        assert driver.receive().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(lambda args: user.record.append("ran"), initialize=init_of(user)))

    assert user.record == ["start", "stopped"]


def init_of(user: Calls) -> Any:
    return lambda args: user.start(args, None)


def test_a_call_that_waits_ends_at_once(driver: Driver, user: Calls) -> None:
    def start(args: Any, api: Any) -> None:
        try:
            api.start_stored_subpipeline("simple", {})
        except AlgorithmStopped:
            user.record.append(f"stopped {api.stop_requested}")
            raise

    def script() -> None:
        driver.send(FrameKind.TASK, 1, {})
        driver.receive(FrameKind.USER_MESSAGE)
        driver.send(FrameKind.STOP, 2, {})
        assert driver.receive().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(start))

    assert user.record == ["stopped True"]


def test_an_async_start_is_cancelled(driver: Driver, user: Calls) -> None:
    async def start(args: Any) -> None:
        user.started.set()
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            user.record.append("cancelled")
            raise

    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        driver.send(FrameKind.INTERRUPT, 2)
        assert driver.receive().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(start))
    loop = driver.user._coroutines._loop
    assert loop is not None
    loop.close()
    asyncio.set_event_loop(None)

    assert user.record == ["cancelled"]


def test_a_late_done_of_a_start_that_swallowed_the_interruption_is_dropped(
    driver: Driver, user: Calls
) -> None:
    def start(args: Any) -> str:
        try:
            user.start(args, None)
        except BaseException:
            pass
        return "result all the same"

    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        driver.send(FrameKind.INTERRUPT, 2)
        assert driver.receive().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(start))


@pytest.mark.parametrize("idle", [True, False])
def test_an_error_in_stop_is_logged_and_the_stop_answered(
    driver: Driver, user: Calls, idle: bool
) -> None:
    def stop(args: Any) -> None:
        user.released.set()
        raise KeyError("x")

    def script() -> None:
        if not idle:
            begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        driver.receive(FrameKind.STOP_COMPLETED)

    driver.serve(script, loads(user.start, stop=stop))

    assert "the algorithm's stop failed: KeyError: 'x'" in driver.log


def test_the_stop_is_answered_after_the_users_stop_has_returned(
    driver: Driver, user: Calls
) -> None:
    finishing = Event()

    def stop(args: Any) -> None:
        user.released.set()
        assert finishing.wait(LIMIT)
        user.record.append("stop done")

    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.STOP, 2, {})
        assert user.released.wait(LIMIT)
        assert driver.is_silent()
        finishing.set()
        driver.receive(FrameKind.STOP_COMPLETED)
        assert user.record[-1] == "stop done"

    driver.serve(script, loads(user.start, stop=stop))


def test_an_exit_during_a_stop_does_not_call_the_users_stop_again(driver: Driver) -> None:
    stops: list[str] = []
    stopping, over = Event(), Event()

    def stop(args: Any) -> None:
        stops.append("stop")
        stopping.set()
        over.wait(LIMIT)

    def start(args: Any) -> None:
        over.wait(LIMIT)

    def script() -> None:
        driver.send(FrameKind.TASK, 1, {})
        driver.send(FrameKind.STOP, 2, {})
        assert stopping.wait(LIMIT)
        driver.send(FrameKind.EXIT, 3, {})
        while driver.user.is_current(2):  # until the listening thread has handled it
            pass
        over.set()

    driver.serve(script, loads(start, stop=stop))
    assert stops == ["stop"]
