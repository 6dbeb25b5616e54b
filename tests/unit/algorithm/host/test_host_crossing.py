"""What comes late, and what comes together: two pipes lead to two threads."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from tests.unit.support.driver import Calls, Driver, begin, loads
from wrapper.ipc.frames import FrameKind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pthread_kill")


# ---------------------------------------------------------------------- what comes late --
def test_a_late_interruption_does_not_reach_the_next_task(driver: Driver, user: Calls) -> None:
    def script() -> None:
        driver.send(FrameKind.STOP, 2, {})
        driver.receive(FrameKind.STOP_COMPLETED)
        begin(driver, user, 4)
        driver.send(FrameKind.INTERRUPT, 2)
        driver.channel.control.send(FrameKind.STOP, 2, b"")
        driver.answer("subPipelineDone", subPipelineId="1")  # arrives after it
        user.released.set()
        assert driver.receive(FrameKind.FINAL_MESSAGE).data == "result"

    driver.serve(script, loads(user.start))

    assert user.record == ["start"]


def test_a_late_stop_does_not_stop_the_next_task(driver: Driver) -> None:
    """The main thread may have dealt with it while the other one did not come to its turn."""
    user = Calls()

    def start(args: Any, api: Any) -> Any:
        user.start(args, api)
        return api.stop_requested

    def script() -> None:
        driver.channel.give_out(2)
        driver.channel.tasks.send(FrameKind.STOP, 2, b"")
        driver.receive(FrameKind.STOP_COMPLETED)
        begin(driver, user, 4)
        driver.channel.control.send(FrameKind.STOP, 2, b"")
        driver.answer("subPipelineDone", subPipelineId="1")
        user.released.set()
        assert driver.receive(FrameKind.FINAL_MESSAGE).data is False

    driver.serve(script, loads(start))


# ---------------------------------------------------------------------------------- exit --
def test_exit_ends_the_task_first(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.EXIT, 2, {})
        driver.send(FrameKind.INTERRUPT, 2)

    driver.serve(script, loads(user.start, exit=user.exit))

    assert user.record == ["start", "stopped", "exit"]


def test_exit_during_the_users_stop(driver: Driver, user: Calls) -> None:
    def script() -> None:
        begin(driver, user)
        driver.send(FrameKind.EXIT, 2, {})

    driver.serve(script, loads(user.start, stop=user.stop, exit=user.exit))

    assert user.record == ["start", "stop beside None", "exit"]


def test_the_users_exit_is_not_interrupted(driver: Driver, user: Calls) -> None:
    """The interruption 4 s after `exit` is for a task that still runs; `exit` has 15 s."""

    def leave(args: Any) -> None:
        driver.send(FrameKind.INTERRUPT, 2)
        # A signal that came would be handled by now: this thread sends it to itself.
        driver.interruption.request()
        user.exit(args)

    driver.serve(lambda: driver.send(FrameKind.EXIT, 2, {}), loads(user.start, exit=leave))

    assert user.record == ["exit"]
    assert "failed" not in driver.log
