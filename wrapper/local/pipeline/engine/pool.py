"""The algorithm processes of this machine, and the tasks that they are given.

Everything here is called in the loop's thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

from ....text.exit_codes import exit_code_text
from ...worker import events
from ...worker.connection import CONNECTION_LOST
from ...worker.timeouts import CRASH_TIMEOUT, STOP_TIMEOUT
from ..events import Path
from .loop import Loop, Timer
from .process import Exited, Fact
from .schedule import Assign, Close, Open, Schedule


@dataclass(frozen=True)
class PoolTask:
    """A task for one of the processes of its algorithm.

    Attributes:
        label: the path of its run, and the name of its node.
        depth: how many tasks wait for it, one for the other.
        job: makes the data of `initialize`, at the moment it is sent.
        started: called when a process has it.
        ended: called with its outcome; `Lost` for a crash.
    """

    task_id: str
    algorithm: str
    label: tuple[Path, str]
    depth: int
    job: Callable[[], Mapping[str, Any]]
    started: Callable[[], None]
    ended: Callable[[events.Outcome], None]


class Process(Protocol):
    """What the pool needs of an algorithm's process."""

    def begin(self, job: Mapping[str, Any]) -> None: ...
    def stop(self) -> None: ...
    def end(self) -> None: ...
    def kill(self) -> None: ...


@dataclass
class _Seat:
    """A process, its task or its last one, and what is to be done if it does not end in time."""

    process: Process
    task: PoolTask | None = None
    last: PoolTask | None = None
    timer: Timer | None = None
    is_stopping: bool = False
    lost: str = CONNECTION_LOST


@final
class Pool:
    """The processes by number."""

    def __init__(self, loop: Loop, limit: int, open_process: Callable[[int, str], Process]) -> None:
        """Begin with no process.

        Args:
            loop: whose thread all this is called in.
            limit: how many tasks run at once.
            open_process: starts a process, of a number, for an algorithm.
        """
        self._loop = loop
        self._open_process = open_process
        self._schedule = Schedule(limit)
        self._tasks: dict[str, PoolTask] = {}
        self._seats: dict[int, _Seat] = {}
        self._processes: dict[Process, threading.Thread | None] = {}
        self._closed = threading.Event()

    def submit(self, task: PoolTask) -> None:
        """Take a task, to be started when it is its turn."""
        self._tasks[task.task_id] = task
        self._schedule.add(task.task_id, task.algorithm, task.depth)

    def stop(self, task_id: str) -> None:
        """Stop a task; it ends as stopped, or as lost if it does not heed that."""
        task = self._tasks.get(task_id)
        if task is None:
            return
        if self._schedule.remove(task_id):
            self._finish(task, events.Stopped())
            return
        seat = next((each for each in self._seats.values() if each.task is task), None)
        if seat is None:  # it was about to get its process
            self._finish(task, events.Stopped())
        elif not seat.is_stopping:
            seat.is_stopping = True
            self._expect(seat, STOP_TIMEOUT)
            seat.process.stop()

    def task_on(self, number: int) -> PoolTask | None:
        """The task that a process has."""
        seat = self._seats.get(number)
        return seat.task if seat is not None else None

    def last_label(self, number: int) -> tuple[Path, str] | None:
        """The label of the task that a process has, or had last; safe from any thread."""
        seat = self._seats.get(number)
        return seat.last.label if seat is not None and seat.last is not None else None

    def call_opened(self, number: int) -> None:
        """Hear that the task of a process waits for a call of its own."""
        self._schedule.call_opened(number)

    def call_closed(self, number: int) -> None:
        """Hear that it waits for one call less."""
        self._schedule.call_closed(number)

    def arrange(self) -> None:
        """Start what can be started now."""
        if self._closed.is_set():
            return
        for decision in self._schedule.decide():
            if self._closed.is_set():  # by another thread, while a process was started
                return
            if isinstance(decision, Close):
                self._end(self._seats.pop(decision.process).process)
                continue
            task = self._tasks.get(decision.task)
            if task is None:  # stopped since that was decided
                (self._schedule.gone if isinstance(decision, Open) else self._schedule.freed)(
                    decision.process
                )
            elif isinstance(decision, Assign) or self._open(decision, task):
                seat = self._seats[decision.process]
                seat.task = seat.last = task
                task.started()
                seat.process.begin(task.job())

    def hear(self, number: int, fact: Fact) -> None:
        """Hear of a process."""
        seat = self._seats.get(number)
        if seat is None:
            return
        task = seat.task
        if isinstance(fact, Exited):
            del self._seats[number]
            self._schedule.gone(number)
            self._forget_timer(seat)
            self._end(seat.process)
            if task is not None:
                self._finish(task, events.Lost(_crash(fact.code, seat)))
        elif task is None or fact.task_id != task.task_id:
            return
        elif isinstance(fact.outcome, events.Lost):
            # Of a process that crashed the exit code says more; another one may go on for long.
            seat.lost = fact.outcome.reason
            self._expect(seat, CRASH_TIMEOUT if seat.lost == CONNECTION_LOST else 0.0)
        else:
            self._forget_timer(seat)
            seat.task, seat.is_stopping = None, False
            self._schedule.freed(number)
            self._finish(task, fact.outcome)

    def close(self) -> list[threading.Thread]:
        """Start no more; returns the threads that end the processes."""
        self._closed.set()
        for seat in self._seats.values():
            self._end(seat.process)
        return [thread for thread in self._processes.values() if thread is not None]

    def kill(self) -> None:
        """End all processes at once, and begin no more; this may be called in any thread."""
        self._closed.set()
        threads = [
            threading.Thread(target=process.kill, daemon=True) for process in list(self._processes)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _open(self, decision: Open, task: PoolTask) -> bool:
        try:
            process = self._open_process(decision.process, decision.algorithm)
        except OSError as error:
            self._schedule.gone(decision.process)
            reason = error.strerror or str(error)
            task.started()
            self._finish(task, events.Failed("", f"cannot start a process: {reason}", ""))
            return False
        self._seats[decision.process] = _Seat(process)
        self._processes[process] = None
        if self._closed.is_set():  # all were killed while this one was not there yet
            process.kill()
        return True

    def _expect(self, seat: _Seat, seconds: float) -> None:
        """End a process if nothing more is heard of it."""
        self._forget_timer(seat)
        seat.timer = self._loop.after(seconds, self._run_apart, seat.process.kill)

    def _forget_timer(self, seat: _Seat) -> None:
        if seat.timer is not None:
            seat.timer.cancel()
            seat.timer = None

    def _finish(self, task: PoolTask, outcome: events.Outcome) -> None:
        del self._tasks[task.task_id]
        task.ended(outcome)

    def _end(self, process: Process) -> None:
        if self._processes.get(process) is None:
            self._processes[process] = self._run_apart(process.end, process)

    def _run_apart(
        self, call: Callable[[], None], process: Process | None = None
    ) -> threading.Thread:
        def run() -> None:
            call()
            if process is not None:
                self._loop.post(self._processes.pop, process, None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


def _crash(code: int, seat: _Seat) -> str:
    if seat.is_stopping:
        return f"it did not stop in {STOP_TIMEOUT:.0f} s"
    text = f"its process ended with exit code {code}"
    if seat.lost not in (CONNECTION_LOST, text):
        return seat.lost
    return f"its process ended with {exit_code_text(code)}"
