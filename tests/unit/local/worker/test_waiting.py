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


def test_done_and_pending_futures() -> None:
    future: Future[int] = Future()
    assert not wait_done(future, 0)
    assert not wait_done(future, 0.01)
    future.set_result(1)
    assert wait_done(future)
    assert wait_done(future, 0)


def test_wait_ends_at_its_timeout() -> None:
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


def test_signal_that_does_not_interrupt_the_wait_is_handled() -> None:
    future: Future[int] = Future()
    timer = threading.Timer(LIMIT, future.set_result, (1,))

    def interrupt() -> None:
        while not future._waiters:
            pass
        _thread.interrupt_main()  # sets the flag only, like a signal that arrived before the wait

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
def test_exception_of_a_handler_does_not_interrupt_the_middle_of_a_wait(
    number: signal.Signals,
) -> None:
    lock = threading.Lock()

    def wait_once(seconds: float) -> bool:
        lock.acquire()
        os.kill(os.getpid(), number)
        assert signal.getsignal(number) is not handler  # Python has checked for signals by now
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


def test_wait_continues_after_a_handler_that_returns() -> None:
    received: list[int] = []

    def wait_once(seconds: float) -> bool:
        if not received:
            os.kill(os.getpid(), signal.SIGTERM)
        return bool(received)

    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        assert wait_until(wait_once, LIMIT)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


def test_signals_are_untouched_on_other_threads() -> None:
    untouched: list[bool] = []
    before = signal.getsignal(signal.SIGINT)

    def wait_once(seconds: float) -> bool:
        untouched.append(signal.getsignal(signal.SIGINT) is before)
        return True

    thread = threading.Thread(target=wait_until, args=(wait_once,))
    thread.start()
    thread.join()
    assert untouched == [True]
