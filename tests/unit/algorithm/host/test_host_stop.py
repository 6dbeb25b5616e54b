"""Stopping what runs in the algorithm process, with and without a stop of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from tests.unit.support.driver import LIMIT, Calls, Driver, begin, driving, loads
from wrapper.errors import AlgorithmStopped
from wrapper.ipc.frames import FrameKind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pthread_kill")


@pytest.fixture
def driver() -> Iterator[Driver]:
    with driving() as driver:
        yield driver


@pytest.fixture
def user() -> Calls:
    return Calls()


# -------------------------------------------------------------------------- nothing runs --
def test_a_stop_when_idle_is_answered(driver: Driver) -> None:
    def script() -> None:
        driver.tell(FrameKind.STOP, 1, {"forceStop": False})
        assert driver.hear().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(lambda args: None))


@pytest.mark.parametrize(
    ("data", "call"),
    [({"forceStop": True}, "stop main True"), ({}, "stop main None"), (None, "stop main None")],
)
def test_a_stop_when_idle_calls_the_users_stop(
    driver: Driver, user: Calls, data: Any, call: str
) -> None:
    def script() -> None:
        driver.tell(FrameKind.STOP, 1, data)
        assert driver.hear(FrameKind.STOP_COMPLETED).generation == 1

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.heard == [call]


def test_an_undecodable_stop_is_still_a_stop(driver: Driver, user: Calls) -> None:
    def script() -> None:
        driver.tell(FrameKind.STOP, 1, raw=b'{"command":"stop","data":')
        driver.hear(FrameKind.STOP_COMPLETED)

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.heard == ["stop main None"]


def test_a_task_that_was_stopped_before_it_began_does_not_run(driver: Driver, user: Calls) -> None:
    """The stop overtakes the task: it comes through the other pipe as well."""
    stopped = Event()

    def stop(args: Any) -> None:
        stopped.set()

    def load() -> Any:
        driver.tell(FrameKind.TASK, 1, {})
        driver.tell(FrameKind.STOP, 2, {})
        while driver.user.is_current(1):  # until the thread that listens has heard
            pass
        return loads(user.start, stop=stop)()

    driver.serve(lambda: driver.hear(FrameKind.STOP_COMPLETED), load)

    assert user.heard == []
    assert stopped.is_set()


def test_between_initialize_and_start(driver: Driver, user: Calls) -> None:
    def script() -> None:
        driver.tell(FrameKind.INITIALIZE, 1, {})
        driver.hear(FrameKind.INITIALIZE_COMPLETED)
        driver.tell(FrameKind.STOP, 2, {})
        driver.hear(FrameKind.STOP_COMPLETED)
        driver.tell(FrameKind.START, 1)  # it crossed the stop
        user.released.set()
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start))

    assert user.heard == ["start"]


# ----------------------------------------------------------------------------- start runs --
def test_the_users_stop_runs_beside_start(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.tell(FrameKind.STOP, 2, {"forceStop": True})
        heard = driver.hear()
        assert (heard.kind, heard.generation) == (FrameKind.STOP_COMPLETED, 2), (
            "and no `done` before it"
        )
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start, stop=user.stop))

    assert user.heard == ["start", "stop beside True", "start"]


def test_without_a_users_stop_start_is_interrupted(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.tell(FrameKind.STOP, 2, {})
        driver.tell(FrameKind.INTERRUPT, 2)
        heard = driver.hear()
        assert (heard.kind, heard.generation) == (FrameKind.STOP_COMPLETED, 2), (
            "no errorMessage before it"
        )
        user.released.set()
        assert driver.run_task(4).data == "result"

    driver.serve(script, loads(user.start))

    assert user.heard == ["start", "stopped", "start"]
    assert "failed" not in driver.log


def test_initialize_can_be_interrupted_and_then_start_does_not_run(
    driver: Driver, user: Calls
) -> None:
    def script() -> None:
        begin(driver, user)
        driver.tell(FrameKind.STOP, 2, {})
        driver.tell(FrameKind.INTERRUPT, 2)
        assert driver.hear().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(lambda args: user.heard.append("ran"), initialize=init_of(user)))

    assert user.heard == ["start", "stopped"]


def init_of(user: Calls) -> Any:
    return lambda args: user.start(args, None)


def test_a_call_that_waits_ends_at_once(driver: Driver, user: Calls) -> None:
    def start(args: Any, api: Any) -> None:
        try:
            api.start_stored_subpipeline("simple", {})
        except AlgorithmStopped:
            user.heard.append(f"stopped {api.stop_requested}")
            raise

    def script() -> None:
        driver.tell(FrameKind.TASK, 1, {})
        driver.hear(FrameKind.USER_MESSAGE)
        driver.tell(FrameKind.STOP, 2, {})
        assert driver.hear().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(start))

    assert user.heard == ["stopped True"]


def test_an_async_start_is_cancelled(driver: Driver, user: Calls) -> None:
    async def start(args: Any) -> None:
        user.started.set()
        try:
            await asyncio.sleep(LIMIT)
        except asyncio.CancelledError:
            user.heard.append("cancelled")
            raise

    def script() -> None:
        begin(driver, user)
        driver.tell(FrameKind.STOP, 2, {})
        driver.tell(FrameKind.INTERRUPT, 2)
        assert driver.hear().kind is FrameKind.STOP_COMPLETED

    driver.serve(script, loads(start))
    loop = driver.user._coroutines._loop
    assert loop is not None
    loop.close()
    asyncio.set_event_loop(None)

    assert user.heard == ["cancelled"]


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
        driver.tell(FrameKind.STOP, 2, {})
        driver.tell(FrameKind.INTERRUPT, 2)
        assert driver.hear().kind is FrameKind.STOP_COMPLETED

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
        driver.tell(FrameKind.STOP, 2, {})
        driver.hear(FrameKind.STOP_COMPLETED)

    driver.serve(script, loads(user.start, stop=stop))

    assert "the algorithm's stop failed: KeyError: 'x'" in driver.log


def test_the_stop_is_answered_after_the_users_stop_has_returned(
    driver: Driver, user: Calls
) -> None:
    finishing = Event()

    def stop(args: Any) -> None:
        user.released.set()
        assert finishing.wait(LIMIT)
        user.heard.append("stop done")

    def script() -> None:
        begin(driver, user)
        driver.tell(FrameKind.STOP, 2, {})
        assert user.released.wait(LIMIT)
        assert driver.says_nothing()
        finishing.set()
        driver.hear(FrameKind.STOP_COMPLETED)
        assert user.heard[-1] == "stop done"

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
        driver.tell(FrameKind.TASK, 1, {})
        driver.tell(FrameKind.STOP, 2, {})
        assert stopping.wait(LIMIT)
        driver.tell(FrameKind.EXIT, 3, {})
        while driver.user.is_current(2):  # until the thread that listens has heard
            pass
        over.set()

    driver.serve(script, loads(start, stop=stop))
    assert stops == ["stop"]
