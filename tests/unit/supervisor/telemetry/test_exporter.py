"""Sending spans, with the answers that a test gives."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest

from wrapper.log import Log
from wrapper.supervisor.telemetry import exporter as exporter_module
from wrapper.supervisor.telemetry.exporter import SpanExporter
from wrapper.supervisor.telemetry.finished_span import FinishedSpan

LIMIT = 20.0
Make = Callable[[Callable[[bytes], int]], SpanExporter]


def span(name: str) -> FinishedSpan:
    return FinishedSpan("a" * 32, "b" * 16, "", name, 1, 1, 2, {})


def names(body: bytes) -> list[str]:
    (resource,) = json.loads(body)["resourceSpans"]
    return [each["name"] for each in resource["scopeSpans"][0]["spans"]]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(exporter_module, "_GATHER_FOR", 0.0)
    monkeypatch.setattr(exporter_module, "_FIRST_PAUSE", 0.001)
    null = os.open(os.devnull, os.O_WRONLY)
    made: list[SpanExporter] = []

    def make_one(post: Callable[[bytes], int]) -> SpanExporter:
        log = Log("debug", fd=null)
        made.append(SpanExporter("http://127.0.0.1:1/v1/traces", {}, {}, log, post))
        return made[-1]

    yield make_one
    for each in made:
        each.close(LIMIT)
    os.close(null)


def test_closing_sends_what_waits(make: Make) -> None:
    bodies: Queue[bytes] = Queue()
    exporter = make(lambda body: bodies.put(body) or 200)  # type: ignore[func-returns-value]
    exporter.send(span("last"))
    exporter.close(LIMIT)
    assert names(bodies.get_nowait()) == ["last"]


@pytest.mark.parametrize("problem", [503, OSError("no route"), ValueError("odd")])
def test_batch_that_could_not_be_sent_is_sent_again_in_order(
    make: Make, problem: int | Exception
) -> None:
    bodies: Queue[bytes] = Queue()
    answers: list[int | Exception] = [problem, problem]

    def post(body: bytes) -> int:
        bodies.put(body)
        answer = answers.pop() if answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer

    exporter = make(post)
    exporter.send(span("one"))
    for _ in range(3):
        assert names(bodies.get(timeout=LIMIT))[0] == "one"


def test_oldest_spans_are_dropped_when_too_many_wait(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter_module, "_MAX_WAITING", 3)
    bodies: Queue[bytes] = Queue()
    release = threading.Event()

    def post(body: bytes) -> int:
        bodies.put(body)
        release.wait(LIMIT)
        return 200

    exporter = make(post)
    exporter.send(span("in work"))
    assert names(bodies.get(timeout=LIMIT)) == ["in work"]
    for number in range(5):
        exporter.send(span(str(number)))
    release.set()
    assert names(bodies.get(timeout=LIMIT)) == ["2", "3", "4"]


def test_close_does_not_wait_longer_than_it_may(make: Make) -> None:
    release, is_posting = threading.Event(), threading.Event()

    def post(body: bytes) -> int:
        is_posting.set()
        release.wait(LIMIT)
        return 200

    exporter = make(post)
    exporter.send(span("slow"))
    assert is_posting.wait(LIMIT)
    exporter.close(0.01)  # returns, although the request is still in work
    assert not release.is_set()
    release.set()


def test_idle_exporter_closes_at_once(tmp_path: Path) -> None:
    file = os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY)
    exporter = SpanExporter("http://127.0.0.1:1/", {}, {}, Log("debug", fd=file), lambda body: 200)
    exporter.close(LIMIT)  # warns if the thread is still there after that time
    os.close(file)
    assert (tmp_path / "log").read_text() == ""
