"""Waiting on the main thread."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from concurrent.futures import Future

import pytest

from wrapper.local.worker.waiting import wait_done, wait_until

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_a_handler_raises_does_not_break_a_wait_off_in_the_middle(
    number: signal.Signals,
) -> None:
    lock = threading.Lock()

    def wait_once(seconds: float) -> bool:
        lock.acquire()
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) is not handler  # Python has looked for signals by now
        lock.release()
        return False

    def handler(came: int, frame: object) -> None:
        raise SystemExit(128 + came)

    before = signal.signal(number, handler)
    try:
        with pytest.raises(SystemExit, match=str(128 + number)):
            wait_until(wait_once)
        assert signal.getsignal(number) is handler
    finally:
        signal.signal(number, before)
    assert not lock.locked()


def test_a_signal_whose_handler_raises_nothing_ends_no_wait() -> None:
    told: list[int] = []

    def wait_once(seconds: float) -> bool:
        if not told:
            os.kill(os.getpid(), signal.SIGTERM)
        return bool(told)

    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        assert wait_until(wait_once, LIMIT)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]


def test_on_another_thread_signals_are_left_alone() -> None:
    heard: list[bool] = []
    before = signal.getsignal(signal.SIGINT)

    def wait_once(seconds: float) -> bool:
        heard.append(signal.getsignal(signal.SIGINT) is before)
        return True

    thread = threading.Thread(target=wait_until, args=(wait_once,))
    thread.start()
    thread.join()
    assert heard == [True]
