"""Waits that a signal can end."""

from __future__ import annotations

import os
import select
import signal
from threading import Event, Thread, get_ident, main_thread

import pytest

from tests.unit.support.interrupter import PAUSE, TRIES, Interrupter
from wrapper.storage.stores import interruptible as module
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
    def refuse(function: object, arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    module._helpers.forget()
    monkeypatch.setattr(module, "start_new_thread", refuse)
    assert interruptible(get_ident) == get_ident()


def test_one_thread_serves_all_calls() -> None:
    first = interruptible(get_ident)
    assert {interruptible(get_ident) for _ in range(100)} == {first}
    assert first != get_ident()


def test_failed_call_keeps_its_thread() -> None:
    kept = interruptible(get_ident)
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0)
    assert interruptible(get_ident) == kept


def test_signal_handler_may_call_while_a_call_waits() -> None:
    inner: list[int] = []
    handled = Event()

    def handle(number: int, frame: object) -> None:
        inner.append(interruptible(get_ident))
        handled.set()

    def act() -> int:
        # A signal that arrives just before the wait does not end it.
        for _ in range(TRIES):
            signal.pthread_kill(main_thread().ident or 0, signal.SIGUSR1)
            if handled.wait(PAUSE):
                break
        return get_ident()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        outer = interruptible(act)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert inner and outer not in inner
    assert interruptible(get_ident) in (outer, *inner)


def test_fork_starts_a_thread_of_its_own() -> None:
    interruptible(get_ident)
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(writer, b"%d" % interruptible(lambda: 7))
        finally:
            os._exit(0)
    os.close(writer)
    try:
        is_readable, _, _ = select.select([reader], [], [], 30)
        assert is_readable and os.read(reader, 10) == b"7"
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
