"""Waking the loop by signals and by posted calls."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from wrapper.supervisor.loop.wakeup import Wakeup

LIMIT = 10.0


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    taken = (signal.SIGUSR1, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in taken}
    wakeup = Wakeup()
    yield wakeup
    wakeup.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def is_ready(wakeup: Wakeup, limit: float = LIMIT) -> bool:
    return bool(select.select([wakeup], [], [], limit)[0])


def test_posted_call_runs_in_the_reader(wakeup: Wakeup) -> None:
    made: list[str] = []
    thread = Thread(target=lambda: wakeup.post(lambda: made.append("call")))
    thread.start()
    thread.join()

    assert made == [], "not in the thread that posts it"
    assert is_ready(wakeup)
    assert wakeup.read() == []
    assert made == ["call"]
    assert not is_ready(wakeup, 0), "nothing is left"


def test_calls_run_in_order_and_once(wakeup: Wakeup) -> None:
    made: list[int] = []
    for number in range(5):
        wakeup.post(lambda number=number: made.append(number))  # type: ignore[misc]
    wakeup.read()
    wakeup.read()

    assert made == [0, 1, 2, 3, 4]


def test_call_may_post_another(wakeup: Wakeup) -> None:
    made: list[str] = []

    def first() -> None:
        made.append("first")
        wakeup.post(lambda: made.append("second"))

    wakeup.post(first)
    while is_ready(wakeup, 0):
        wakeup.read()

    assert made == ["first", "second"]


def test_reading_nothing_is_not_an_error(wakeup: Wakeup) -> None:
    assert wakeup.read() == []


def test_signals_wake_the_loop_and_are_returned(wakeup: Wakeup) -> None:
    wakeup.listen_to_signals((signal.SIGUSR1, signal.SIGUSR2))
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)

    assert is_ready(wakeup)
    assert sorted(wakeup.read()) == sorted([signal.SIGUSR1, signal.SIGUSR2])
    assert wakeup.read() == []


def test_more_calls_than_the_pipe_has_room_for(wakeup: Wakeup) -> None:
    made: list[int] = []
    for number in range(5_000):
        wakeup.post(lambda number=number: made.append(number))  # type: ignore[misc]
    while is_ready(wakeup, 0):
        wakeup.read()

    assert made == list(range(5_000))


def test_no_signal_is_lost_when_the_pipe_is_full(wakeup: Wakeup) -> None:
    """A flood of output (REDIRECT_LOGS) must not hide SIGTERM or SIGCHLD."""
    wakeup.listen_to_signals((signal.SIGUSR1,))
    for _ in range(5_000):
        wakeup.post(lambda: None)
    os.kill(os.getpid(), signal.SIGUSR1)

    numbers: list[int] = []
    while is_ready(wakeup, 0):
        numbers += wakeup.read()

    assert signal.SIGUSR1 in numbers


def test_posting_to_an_ended_loop_is_not_an_error() -> None:
    wakeup = Wakeup()
    wakeup.close()
    wakeup.close()

    wakeup.post(lambda: None)


def test_signal_after_the_end_is_not_an_error() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    wakeup = Wakeup()
    wakeup.listen_to_signals((signal.SIGUSR1,))
    wakeup.close()
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
