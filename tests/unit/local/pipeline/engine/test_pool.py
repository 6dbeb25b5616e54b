"""The pool, with fake processes and a clock that the tests set."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from wrapper.local.pipeline.engine.loop import Loop
from wrapper.local.pipeline.engine.pool import Pool, PoolTask
from wrapper.local.pipeline.engine.process import ProcessExited, TaskEnded
from wrapper.local.pipeline.run.actions import TaskKey
from wrapper.local.worker import events
from wrapper.local.worker.connection import CONNECTION_LOST
from wrapper.local.worker.timeouts import CRASH_TIMEOUT, STOP_TIMEOUT


class Process:
    """A process that records what it is asked to do."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.asked: list[str] = []
        self._changed = threading.Condition()

    def begin(self, job: Mapping[str, Any]) -> None:
        self._ask(f"begin {job['taskId']}")

    def stop(self) -> None:
        self._ask("stop")

    def end(self) -> None:
        self._ask("end")

    def kill(self) -> None:
        self._ask("kill")

    def wait_for(self, word: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: word in self.asked, 10), self.asked

    def _ask(self, word: str) -> None:
        with self._changed:
            self.asked.append(word)
            self._changed.notify_all()


class Bench:
    """A pool whose loop is not started: the test's thread takes its place."""

    def __init__(self, limit: int = 2) -> None:
        self.now = 0.0
        self.loop = Loop(clock=lambda: self.now)
        self.pool = Pool(self.loop, limit, self._open)
        self.processes: dict[int, Process] = {}
        self.ended: dict[str, events.Outcome] = {}
        self.started: list[str] = []
        self.error: OSError | None = None
        self.when_ended: Callable[[], None] = lambda: None
        self.when_opened: Callable[[], None] = lambda: None

    def _open(self, number: int, algorithm: str) -> Process:
        if self.error is not None:
            raise self.error
        self.processes[number] = Process(algorithm)
        self.when_opened()
        return self.processes[number]

    def submit(self, *task_ids: str, algorithm: str = "alg") -> None:
        for task_id in task_ids:
            self.pool.submit(self._task(task_id, algorithm))
        self.pool.apply_schedule()

    def _task(self, task_id: str, algorithm: str) -> PoolTask:
        def ended(outcome: events.Outcome) -> None:
            self.ended[task_id] = outcome
            self.when_ended()

        return PoolTask(
            task_id,
            algorithm,
            ((), TaskKey(f"node of {task_id}")),
            depth=0,
            make_job=lambda: {"taskId": task_id},
            on_start=lambda: self.started.append(task_id),
            on_end=ended,
        )

    def number(self, task_id: str) -> int:
        (number,) = (
            number
            for number in self.processes
            if (task := self.pool.task_on(number)) is not None and task.task_id == task_id
        )
        return number

    def handle(self, number: int, event: TaskEnded | ProcessExited) -> None:
        self.pool.handle(number, event)
        self.pool.apply_schedule()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.loop.post(lambda: None)
        self.loop.start()
        self.loop.end()


def test_process_takes_one_task_after_another() -> None:
    bench = Bench(limit=1)
    bench.submit("t1", "t2")
    (process,) = bench.processes.values()
    number = bench.number("t1")
    assert (process.asked, bench.started) == (["begin t1"], ["t1"])
    bench.handle(number, TaskEnded("t1", events.Done(7)))
    assert bench.ended == {"t1": events.Done(7)}
    assert process.asked == ["begin t1", "begin t2"]
    assert bench.number("t2") == number
    assert bench.pool.last_label(number) == ((), TaskKey("node of t2"))
    bench.handle(number, TaskEnded("t2", events.Done(8)))
    assert bench.pool.last_label(number) == ((), TaskKey("node of t2")), (
        "its remaining output belongs to it"
    )
    assert bench.pool.last_label(999) is None


def test_event_of_an_older_task_is_ignored() -> None:
    bench = Bench()
    bench.submit("t1")
    bench.handle(bench.number("t1"), TaskEnded("t0", events.Done(0)))
    bench.handle(999, TaskEnded("t1", events.Done(0)))
    assert bench.ended == {}


@pytest.mark.parametrize(
    "code, text",
    [
        (139, "its process ended with exit code 139 (SIGSEGV)"),
        (78, "its process ended with exit code 78"),
        (1, "its process ended with exit code 1"),
    ],
)
def test_crash_is_reported_with_its_exit_code(code: int, text: str) -> None:
    bench = Bench(limit=1)
    bench.submit("t1", "t2")
    number = bench.number("t1")
    bench.handle(number, TaskEnded("t1", events.Lost(CONNECTION_LOST)))
    assert bench.ended == {}, "the exit code is not known yet"
    bench.handle(number, ProcessExited(code))
    assert bench.ended == {"t1": events.Lost(text)}
    bench.processes[number].wait_for("end")
    assert bench.processes[bench.number("t2")].asked == ["begin t2"]


def test_process_that_lost_its_connection_but_does_not_exit_is_killed() -> None:
    bench = Bench()
    bench.submit("t1")
    number = bench.number("t1")
    bench.handle(number, TaskEnded("t1", events.Lost(CONNECTION_LOST)))
    bench.pass_time(CRASH_TIMEOUT)
    bench.processes[number].wait_for("kill")


def test_process_that_sends_a_harmful_message_is_killed() -> None:
    bench = Bench()
    bench.submit("t1")
    number = bench.number("t1")
    bench.handle(number, TaskEnded("t1", events.Lost("its message is too large")))
    bench.pass_time(0.0)
    bench.processes[number].wait_for("kill")
    bench.handle(number, ProcessExited(137))
    assert bench.ended == {"t1": events.Lost("its message is too large")}


def test_exit_noticed_before_the_connection_is_lost() -> None:
    bench = Bench()
    bench.submit("t1")
    number = bench.number("t1")
    lost = events.Lost("its process ended with exit code 139")
    bench.handle(number, TaskEnded("t1", lost))
    bench.handle(number, ProcessExited(139))
    assert bench.ended == {"t1": events.Lost(f"{lost.reason} (SIGSEGV)")}


def test_idle_process_that_exits_is_forgotten() -> None:
    bench = Bench(limit=1)
    bench.submit("t1")
    number = bench.number("t1")
    bench.handle(number, TaskEnded("t1", events.Done(1)))
    bench.handle(number, ProcessExited(0))
    bench.submit("t2")
    assert bench.number("t2") != number


def test_waiting_task_is_stopped_at_once() -> None:
    bench = Bench(limit=1)
    bench.submit("t1", "t2")
    bench.pool.stop("t2")
    bench.pool.stop("t0")
    assert bench.ended == {"t2": events.Stopped()}
    assert bench.started == ["t1"]


def test_running_task_is_asked_to_stop() -> None:
    bench = Bench()
    bench.submit("t1")
    number = bench.number("t1")
    bench.pool.stop("t1")
    bench.pool.stop("t1")
    assert bench.processes[number].asked == ["begin t1", "stop"]
    bench.handle(number, TaskEnded("t1", events.Stopped()))
    assert bench.ended == {"t1": events.Stopped()}
    bench.pass_time(STOP_TIMEOUT)
    bench.submit("t2")
    assert bench.processes[number].asked == ["begin t1", "stop", "begin t2"]


def test_task_that_does_not_stop_is_killed() -> None:
    bench = Bench()
    bench.submit("t1")
    number = bench.number("t1")
    bench.pool.stop("t1")
    bench.pass_time(STOP_TIMEOUT)
    bench.processes[number].wait_for("kill")
    bench.handle(number, ProcessExited(137))
    assert bench.ended == {"t1": events.Lost("it did not stop in 10 s")}


def test_task_fails_if_its_process_cannot_start() -> None:
    bench = Bench()
    bench.error = OSError(11, "Resource temporarily unavailable")
    bench.submit("t1")
    text = "cannot start a process: Resource temporarily unavailable"
    assert bench.ended == {"t1": events.Failed("", text, "")}
    bench.error = None
    bench.submit("t2")
    assert bench.processes[bench.number("t2")].asked == ["begin t2"]


def test_task_stopped_while_others_start_does_not_start() -> None:
    bench = Bench()
    bench.error = OSError(11, "no room")
    bench.when_ended = lambda: bench.pool.stop("t2")
    bench.submit("t1", "t2")
    assert bench.ended["t2"] == events.Stopped()
    assert bench.processes == {}


def test_close_ends_every_process_and_starts_nothing() -> None:
    bench = Bench()
    bench.submit("t1", "t2", "t3")
    for thread in bench.pool.close():
        thread.join()
    assert [process.asked[-1] for process in bench.processes.values()] == ["end", "end"]
    bench.handle(bench.number("t1"), TaskEnded("t1", events.Done(1)))
    assert bench.started == ["t1", "t2"]


def test_kill_includes_a_process_that_is_starting() -> None:
    bench = Bench(limit=4)
    bench.when_opened = bench.pool.kill
    bench.submit("t1", "t2")
    (process,) = bench.processes.values()
    assert "kill" in process.asked


def test_kill_ends_every_process() -> None:
    bench = Bench()
    bench.submit("t1", "t2")
    bench.pool.kill()
    assert [process.asked[-1] for process in bench.processes.values()] == ["kill", "kill"]
