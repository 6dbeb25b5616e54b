"""Waiting on the main thread."""

from __future__ import annotations

import _thread
import threading
from concurrent.futures import Future

import pytest

from wrapper.local.waiting import wait_done, wait_until

LIMIT = 10.0


def test_what_is_done_and_what_is_not() -> None:
    future: Future[int] = Future()
    assert not wait_done(future, 0)
    assert not wait_done(future, 0.01)
    future.set_result(1)
    assert wait_done(future)
    assert wait_done(future, 0)


def test_it_goes_on_until_the_time_is_up() -> None:
    event = threading.Event()
    waits: list[float] = []

    def wait_once(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 3:
            event.set()
        return event.is_set()

    assert wait_until(wait_once)
    assert waits == [0.2, 0.2, 0.2]
    waits.clear()
    event.clear()
    assert not wait_until(wait_once, 0.0)
    assert waits == [0.0]


def test_a_signal_is_heard_that_interrupts_no_wait() -> None:
    future: Future[int] = Future()
    timer = threading.Timer(LIMIT, future.set_result, (1,))

    def interrupt() -> None:
        while not future._waiters:
            pass
        _thread.interrupt_main()  # the flag alone, as of a signal that came before the wait

    thread = threading.Thread(target=interrupt)
    timer.start()
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        wait_done(future)
    assert not future.done()
    timer.cancel()
    timer.join()
    thread.join()
