"""Many tasks and calls: memory, threads and descriptors stay flat."""

from __future__ import annotations

import gc
from dataclasses import dataclass

import psutil
import pytest

from .conftest import Serve, Session

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Size:
    """The resources of both processes."""

    threads: int
    descriptors: int
    memory: int


def size(session: Session) -> Size:
    both = [psutil.Process(session.wrapper.pid), session.wrapper.algorithm()]
    return Size(
        threads=sum(process.num_threads() for process in both),
        descriptors=sum(process.num_fds() for process in both),
        memory=sum(process.memory_info().rss for process in both),
    )


def flat(before: Size, after: Size) -> None:
    assert after.threads <= before.threads + 1
    assert after.descriptors <= before.descriptors + 1
    assert after.memory - before.memory < 6 * MEGABYTE


def run_quietly(session: Session, tasks: int) -> None:
    """Run tasks and forget their messages, so that this process stays small too."""
    for number in range(tasks):
        assert session.worker.run(number) == number
    gc.collect()


def test_five_thousand_tasks(serve: Serve) -> None:
    session = serve("one_argument")
    run_quietly(session, 500)
    before = size(session)
    run_quietly(session, 4_500)
    flat(before, size(session))


def test_two_thousand_calls(serve: Serve) -> None:
    session = serve("many_calls")
    session.worker.answers["startStoredSubPipeline"] = lambda message: (
        "subPipelineDone",
        {"subPipelineId": message.data["subPipelineId"], "response": 1},
    )
    session.worker.run(100)
    before = size(session)
    for _ in range(20):
        assert session.worker.run(100) == [1] * 100
    flat(before, size(session))


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_large_messages_do_not_add_up(serve: Serve, encoding: str) -> None:
    session = serve("one_argument", env={"WORKER_ALGORITHM_ENCODING": encoding})

    def some(count: int) -> None:
        for _ in range(count):
            session.worker.run("x" * 20 * MEGABYTE)
        session.worker.run("small")

    some(3)
    before = size(session)
    some(5)
    assert size(session).memory - before.memory < 20 * MEGABYTE, "less than one message"


def test_many_errors_and_stops(serve: Serve) -> None:
    session = serve("raises")

    def some(count: int) -> None:
        for _ in range(count):
            session.worker.fail("key")
            session.worker.send("stop", {"forceStop": False})
            session.worker.wait_for("stopped")

    some(50)
    before = size(session)
    some(200)
    flat(before, size(session))


def test_many_connections(serve: Serve) -> None:
    session = serve("one_argument")

    def some(first: int, last: int) -> None:
        for number in range(first, last):
            session.worker.wait_connected(number)
            assert session.worker.run(number) == number
            session.worker.drop()
        session.worker.wait_connected(last)

    some(1, 3)
    before = size(session)
    some(3, 7)
    flat(before, size(session))
