"""The loop of the pipeline engine, with a clock that the tests set."""

from __future__ import annotations

import itertools
import threading

import pytest

from wrapper.local.pipeline.engine import loop as loop_module
from wrapper.local.pipeline.engine.loop import Loop


def test_posted_calls_run_in_order_in_one_thread() -> None:
    done: list[object] = []
    loop = Loop(after_each=lambda: done.append("after"))
    loop.start()
    for number in range(3):
        loop.post(lambda number: done.append((number, threading.current_thread().name)), number)
    loop.end()
    name = "pipelines"
    assert done == [(0, name), "after", (1, name), "after", (2, name), "after"]


def test_error_is_reported_and_later_calls_still_run() -> None:
    errors: list[Exception] = []
    done: list[int] = []
    loop = Loop(on_error=errors.append)
    loop.post([].pop)
    loop.post(done.append, 1)
    loop.start()
    loop.end()
    assert done == [1]
    assert [type(error) for error in errors] == [IndexError]


def test_timers_fire_in_order_unless_cancelled() -> None:
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


def test_timer_wakes_the_loop() -> None:
    called = threading.Event()
    loop = Loop()
    loop.start()
    loop.post(lambda: loop.after(0.001, called.set))
    assert called.wait(10)
    loop.end()


@pytest.mark.parametrize("seconds", [1e10, 10**15, 10**400])
def test_timer_may_exceed_the_longest_possible_wait(seconds: float) -> None:
    errors: list[Exception] = []
    set_later, called = threading.Event(), threading.Event()
    loop = Loop(on_error=errors.append)
    loop.post(lambda: loop.after(seconds, called.set))
    loop.post(lambda: loop.after(0.001, set_later.set))
    loop.start()
    assert set_later.wait(10)
    loop.end()
    assert not errors
    assert not called.is_set()


def test_long_wait_is_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_module, "LONGEST_WAIT", 0.001)
    readings, called = itertools.count(), threading.Event()
    loop = Loop(clock=lambda: 0.0 if next(readings) < 20 else 5000.0)
    loop.after(4000, called.set)
    loop.start()
    assert called.wait(10)
    loop.end()


def test_internal_error_is_reported_and_posted_calls_still_run() -> None:
    def clock() -> float:
        if threading.current_thread().name == "pipelines":
            raise OverflowError
        return 0.0

    errors: list[Exception] = []
    done: list[int] = []
    loop = Loop(on_error=errors.append, clock=clock)
    loop.after(1, done.append, 0)
    loop.post(done.append, 1)
    loop.start()
    loop.end()
    assert done == [1]
    assert [type(error) for error in errors] == [OverflowError]


def test_loop_that_never_started_can_end() -> None:
    Loop().end()
