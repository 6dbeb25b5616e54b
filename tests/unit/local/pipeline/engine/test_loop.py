"""The one thread of the pipelines, with a clock of the test's own."""

from __future__ import annotations

import itertools
import threading

import pytest

from wrapper.local.pipeline.engine import loop as loop_module
from wrapper.local.pipeline.engine.loop import Loop


def test_what_is_posted_is_done_in_order_in_one_thread() -> None:
    done: list[object] = []
    loop = Loop(after_each=lambda: done.append("after"))
    loop.start()
    for number in range(3):
        loop.post(lambda number: done.append((number, threading.current_thread().name)), number)
    loop.end()
    name = "pipelines"
    assert done == [(0, name), "after", (1, name), "after", (2, name), "after"]


def test_a_fault_is_told_and_does_no_harm_to_what_follows() -> None:
    faults: list[Exception] = []
    done: list[int] = []
    loop = Loop(fault=faults.append)
    loop.post([].pop)
    loop.post(done.append, 1)
    loop.start()
    loop.end()
    assert done == [1]
    assert [type(fault) for fault in faults] == [IndexError]


def test_timers_are_called_in_the_order_of_their_times_unless_cancelled() -> None:
    now = [0.0]
    done: list[str] = []
    loop = Loop(clock=lambda: now[0])
    late, cancelled = loop.after(5, done.append, "late"), loop.after(2, done.append, "cancelled")
    loop.after(3, done.append, "first")
    loop.after(3, done.append, "second")
    cancelled.cancel()
    assert late > cancelled
    now[0] = 4.0
    loop.post(done.append, "posted")
    loop.start()
    loop.end()
    assert done == ["posted", "first", "second"]


def test_a_timer_wakes_the_loop() -> None:
    called = threading.Event()
    loop = Loop()
    loop.start()
    loop.post(lambda: loop.after(0.001, called.set))
    assert called.wait(10)
    loop.end()


@pytest.mark.parametrize("seconds", [1e10, 10**15, 10**400])
def test_a_timer_may_be_for_a_time_that_no_thread_can_wait(seconds: float) -> None:
    faults: list[Exception] = []
    set_later, called = threading.Event(), threading.Event()
    loop = Loop(fault=faults.append)
    loop.post(lambda: loop.after(seconds, called.set))
    loop.post(lambda: loop.after(0.001, set_later.set))
    loop.start()
    assert set_later.wait(10)
    loop.end()
    assert not faults
    assert not called.is_set()


def test_a_wait_that_ends_before_the_timer_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_module, "LONGEST_WAIT", 0.001)
    readings, called = itertools.count(), threading.Event()
    loop = Loop(clock=lambda: 0.0 if next(readings) < 20 else 5000.0)
    loop.after(4000, called.set)
    loop.start()
    assert called.wait(10)
    loop.end()


def test_a_fault_of_its_own_is_told_and_what_is_posted_is_still_done() -> None:
    def clock() -> float:
        if threading.current_thread().name == "pipelines":
            raise OverflowError
        return 0.0

    faults: list[Exception] = []
    done: list[int] = []
    loop = Loop(fault=faults.append, clock=clock)
    loop.after(1, done.append, 0)
    loop.post(done.append, 1)
    loop.start()
    loop.end()
    assert done == [1]
    assert [type(fault) for fault in faults] == [OverflowError]


def test_a_loop_that_never_began_ends_too() -> None:
    Loop().end()
