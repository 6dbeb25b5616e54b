"""Signals for another thread than the main one."""

from __future__ import annotations

import select
import signal

from wrapper.in_process.signal_pipe import SignalPipe

LIMIT = 10.0


def test_signals_that_end_the_process_arrive() -> None:
    with SignalPipe() as signals:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
            assert select.select([signals], [], [], LIMIT)[0]
            assert signals.numbers() == [number]


def test_previous_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with SignalPipe():
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before
