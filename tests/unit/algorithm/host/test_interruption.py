"""Ending user code on the main thread: real signals, sent by real threads."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from wrapper.algorithm.host.interruption import Interruption
from wrapper.errors import AlgorithmStopped
from wrapper.ipc.frames import INTERRUPT_SIGNAL

LIMIT = 10.0

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pthread_kill")


@pytest.fixture
def interruption() -> Iterator[Interruption]:
    before = signal.getsignal(INTERRUPT_SIGNAL)
    interruption = Interruption()
    interruption.install()
    yield interruption
    signal.signal(INTERRUPT_SIGNAL, before)


def from_a_thread(act: Callable[[], None]) -> None:
    """Do something in another thread and wait until it is done."""
    thread = Thread(target=act)
    thread.start()
    thread.join(LIMIT)


@contextmanager
def stopped(interruption: Interruption) -> Iterator[None]:
    """User code that must be ended by the interruption."""
    try:
        with interruption.user_code:
            yield
    except AlgorithmStopped:
        pass
    else:
        pytest.fail("it was not ended")


def test_waiting_user_code_is_interrupted(interruption: Interruption) -> None:
    begun = time.monotonic()
    thread = Thread(target=interruption.request)
    with stopped(interruption):
        thread.start()
        Event().wait(LIMIT)
    thread.join()

    assert time.monotonic() - begun < LIMIT / 2


def test_computing_user_code_is_interrupted(interruption: Interruption) -> None:
    with stopped(interruption):
        from_a_thread(interruption.request)
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            pass


def test_a_blocking_c_call_is_interrupted(interruption: Interruption) -> None:
    thread = Thread(target=interruption.request)
    with stopped(interruption):
        thread.start()
        time.sleep(LIMIT)  # ended long before
    thread.join()


def test_except_exception_does_not_catch_it(interruption: Interruption) -> None:
    with stopped(interruption):
        try:
            from_a_thread(interruption.request)
            Event().wait(LIMIT)
        except Exception:
            pytest.fail("caught")


def test_a_signal_just_before_a_wait_is_not_lost(
    interruption: Interruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python checks for signals, then blocks in C: what comes in between does not end the wait."""
    send = signal.pthread_kill
    sent: list[int] = []

    def lose_the_first(thread: int, number: int) -> None:
        sent.append(number)
        if len(sent) > 1:
            send(thread, number)

    monkeypatch.setattr(signal, "pthread_kill", lose_the_first)
    requesting = Thread(target=interruption.request)
    begun = time.monotonic()
    with stopped(interruption):
        requesting.start()
        Event().wait(LIMIT)
    requesting.join()

    assert time.monotonic() - begun < LIMIT / 2


def test_it_is_raised_once(interruption: Interruption) -> None:
    """What cleans up must not be interrupted again."""
    with stopped(interruption):
        try:
            from_a_thread(interruption.request)
            Event().wait(LIMIT)
        finally:
            from_a_thread(interruption.request)

    with stopped(interruption):  # other code
        from_a_thread(interruption.request)
        Event().wait(LIMIT)


def test_code_that_swallows_it_continues(interruption: Interruption) -> None:
    swallowed = 0
    with interruption.user_code:
        try:
            from_a_thread(interruption.request)
            Event().wait(LIMIT)
        except AlgorithmStopped:
            swallowed += 1
        after = 1 + 1

    assert (swallowed, after) == (1, 2)


def test_outside_of_user_code_nothing_happens(interruption: Interruption) -> None:
    interruption.request()
    with interruption.user_code:
        pass
    from_a_thread(interruption.request)

    assert not interruption.pending


def test_user_code_that_has_raised_is_not_interrupted(interruption: Interruption) -> None:
    with pytest.raises(KeyError), interruption.user_code:
        raise KeyError("x")

    interruption.request()


# ---------------------------------------------------------------------------------- held --
def test_held_code_finishes_first(interruption: Interruption) -> None:
    steps: list[str] = []
    with stopped(interruption):
        with interruption.held:
            from_a_thread(interruption.request)
            steps.append("finished")
        steps.append("not reached")

    assert steps == ["finished"]


def test_only_the_end_of_the_outermost_hold_interrupts(interruption: Interruption) -> None:
    steps: list[str] = []
    with stopped(interruption):
        with interruption.held:
            with interruption.held:
                from_a_thread(interruption.request)
            steps.append("still held")
        steps.append("not reached")

    assert steps == ["still held"]


def test_a_hold_of_another_thread_does_not_delay_the_main_thread(
    interruption: Interruption,
) -> None:
    inside, over = Event(), Event()

    def hold() -> None:
        with interruption.held:
            assert not interruption.held.by_this_thread()
            inside.set()
            over.wait(LIMIT)

    holding = Thread(target=hold)
    holding.start()
    inside.wait(LIMIT)
    with stopped(interruption):
        from_a_thread(interruption.request)
        Event().wait(LIMIT)
    over.set()
    holding.join()


def test_an_error_in_held_code_is_replaced_by_the_interruption(
    interruption: Interruption,
) -> None:
    with stopped(interruption), interruption.held:
        from_a_thread(interruption.request)
        raise KeyError("x")


def test_a_late_interruption_does_not_reach_the_next_user_code(
    interruption: Interruption,
) -> None:
    with interruption.held:
        interruption.request()
        with interruption.user_code:
            pass

    with interruption.user_code, interruption.held:
        pass


def test_a_signal_handler_can_detect_that_it_interrupts_held_code(
    interruption: Interruption,
) -> None:
    detected: list[bool] = []
    before = signal.signal(
        signal.SIGUSR1, lambda *_: detected.append(interruption.held.by_this_thread())
    )
    try:
        signal.raise_signal(signal.SIGUSR1)
        with interruption.held:
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert detected == [False, True]


# -------------------------------------------------------------------------------- cancel --
def test_cancellable_code_is_cancelled_without_an_exception(interruption: Interruption) -> None:
    cancelled = Event()
    with interruption.user_code:
        interruption.cancel_with(cancelled.set)
        from_a_thread(interruption.request)
        assert cancelled.wait(LIMIT)

    assert interruption._cancel is None, "it belonged to that code"
