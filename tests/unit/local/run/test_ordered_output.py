"""Output and events of one algorithm, in the order in which they were made."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from wrapper.local.run.ordered_output import OrderedOutput
from wrapper.local.run.output_pump import OutputPump
from wrapper.local.worker import events


class Bench:
    """An algorithm's output and events, and what a person sees of them."""

    def __init__(self, pump: OutputPump, shown: list[str]) -> None:
        self.shown = shown
        self.pump = pump
        self.report = OrderedOutput(pump, self._show)

    def write(self, text: str) -> None:
        os.write(self.pump.fd, text.encode())

    def _show(self, event: events.WorkerEvent) -> None:
        self.shown.append(getattr(event, "command", type(event).__name__))


@pytest.fixture
def bench() -> Iterator[Bench]:
    shown: list[str] = []
    with OutputPump(shown.extend) as pump:
        yield Bench(pump, shown)


def test_output_comes_before_the_event_that_follows_it(bench: Bench) -> None:
    bench.write("one\ntwo\n")
    bench.report(events.Received(at=1, task_id="t", command="initialized"))
    bench.write("three\nunfinished")
    bench.report(events.Progress(at=1, task_id="t", value=1, details=None))
    bench.report(events.TaskCompleted(at=1, task_id="t", outcome=events.Done(1)))
    assert bench.shown == [
        *("one", "two", "initialized"),
        *("three", "Progress", "unfinished", "TaskCompleted"),
    ]


def test_early_output_of_start_comes_after_started(bench: Bench) -> None:
    bench.write("prepared\n")
    bench.report(events.Sent(at=1, task_id="t", command="start"))
    bench.write("at work\n")
    bench.report(events.Received(at=1, task_id="t", command="started"))
    bench.report(events.TaskCompleted(at=1, task_id="t", outcome=events.Done(1)))
    assert bench.shown == ["prepared", "start", "started", "at work", "TaskCompleted"]


def test_held_output_is_shown_when_started_does_not_come() -> None:
    shown: list[str] = []
    with OutputPump(shown.extend, timeout=30) as pump:
        pump.hold()
        os.write(pump.fd, b"at work\n")
    assert shown == ["at work"]
