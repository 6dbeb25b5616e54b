"""Waits that a signal can end."""

from __future__ import annotations

import signal
from threading import Event, Thread, get_ident

import pytest

from tests.unit.support.interrupter import Interrupter
from wrapper.storage.stores.interruptible import interruptible


class Stop(BaseException):
    """Raised by the signal handler."""


def test_results_and_errors_are_passed_on() -> None:
    assert interruptible(lambda: [1]) == [1]
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)


def test_signal_ends_the_wait() -> None:
    interrupter = Interrupter(Stop())
    begun, over = Event(), Event()

    def act() -> None:
        begun.set()
        over.wait(30)

    def send() -> None:
        begun.wait(30)
        if not interrupter.send(signal.SIGUSR1):
            over.set()

    before = signal.signal(signal.SIGUSR1, interrupter.handle)
    sender = Thread(target=send)
    sender.start()
    try:
        with pytest.raises(Stop):
            interruptible(act)
        assert not over.is_set()
    finally:
        over.set()
        sender.join(30)
        signal.signal(signal.SIGUSR1, before)


def test_other_threads_need_no_helper() -> None:
    threads: list[int] = []
    thread = Thread(target=lambda: interruptible(lambda: threads.append(get_ident())))
    thread.start()
    thread.join(30)
    assert threads == [thread.ident]


def test_call_works_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    assert interruptible(lambda: 5) == 5
