"""The one thread of the pipelines, with a clock of the test's own."""

from __future__ import annotations

import threading

from wrapper.local.pipeline.loop import Loop


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


def test_a_loop_that_never_began_ends_too() -> None:
    Loop().end()
