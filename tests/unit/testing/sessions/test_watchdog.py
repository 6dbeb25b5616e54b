"""Runs that do not end by themselves, with real user code on the main thread."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Event
from typing import Any

import pytest

from wrapper.ipc.frames import INTERRUPT_SIGNAL
from wrapper.testing.sessions.abort import LastResort
from wrapper.testing.sessions.forced_interruption import ForcedInterruption
from wrapper.testing.sessions.user_errors import WatchedUserCode
from wrapper.testing.sessions.watchdog import Watchdog

AT_ONCE = 0.0


@pytest.fixture
def interruption() -> Iterator[ForcedInterruption]:
    """An interruption installed in the main thread."""
    before = signal.getsignal(INTERRUPT_SIGNAL)
    interruption = ForcedInterruption()
    interruption.install()
    yield interruption
    signal.signal(INTERRUPT_SIGNAL, before)


def make(
    interruption: ForcedInterruption,
    ended: Future[Any],
    timeout: float | None,
    stop: Callable[[], Any] = lambda: None,
) -> Watchdog:
    return Watchdog(ended, timeout, stop, interruption, LastResort(has_timer=False))


def test_run_that_ends_in_time(interruption: ForcedInterruption) -> None:
    ended: Future[Any] = Future()
    with make(interruption, ended, 60.0) as dog:
        ended.set_result(None)
    assert (dog.timed_out, dog.stuck) == (False, False)


def test_run_whose_code_raises(interruption: ForcedInterruption) -> None:
    with pytest.raises(KeyboardInterrupt), make(interruption, Future(), 60.0) as dog:
        raise KeyboardInterrupt
    assert not dog.timed_out


def test_run_is_stopped_when_the_time_is_up(interruption: ForcedInterruption) -> None:
    ended: Future[Any] = Future()
    stopped = Event()

    def stop() -> None:
        ended.set_result(None)
        stopped.set()

    with make(interruption, ended, AT_ONCE, stop) as dog:
        assert stopped.wait(10.0)
    assert dog.timed_out
    assert not dog.stuck


def endless() -> None:
    while True:
        pass


def swallows() -> None:
    while True:
        try:
            Event().wait(0.01)
        except BaseException:
            pass


def swallows_in_a_function() -> None:
    def once() -> None:
        try:
            Event().wait(0.01)
        except BaseException as error:
            str(error)

    while True:
        once()


@pytest.mark.parametrize("code", [endless, swallows, swallows_in_a_function])
def test_code_that_runs_on_is_ended(
    code: Callable[[], None], interruption: ForcedInterruption
) -> None:
    tracer = sys.gettrace()
    user = WatchedUserCode(interruption)
    dog = make(interruption, over(), None)
    with dog:
        outcome = user.call(code, 0)
    assert dog.stuck
    assert outcome.report is not None
    assert "AlgorithmStopped: HKube would have killed" in outcome.report.message
    assert sys.gettrace() is tracer


def test_nothing_is_raised_after_the_run(interruption: ForcedInterruption) -> None:
    user = WatchedUserCode(interruption)
    with make(interruption, over(), None) as dog:
        user.call(endless, 0)
    assert dog.stuck
    interruption.request()


def over() -> Future[Any]:
    ended: Future[Any] = Future()
    ended.set_result(None)
    return ended
