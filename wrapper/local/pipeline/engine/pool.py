"""The pool of algorithm processes, and the tasks they are given.

Everything in this module is called in the loop's thread, unless a method says otherwise.
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
from ..run.actions import TaskKey
from .loop import Loop, Timer
from .process import ProcessEvent, ProcessExited
from .schedule import Assign, Close, Open, Schedule


@dataclass(frozen=True)
class PoolTask:
    """A task for a process of its algorithm.

    Attributes:
        label: the path of its run, and its key there.
        depth: how many tasks wait for it, directly or indirectly.
        make_job: returns the data of `initialize`; called just before it is sent.
        on_start: called when a process takes it.
        on_end: called with its outcome; `Lost` for a crash.
    """

    task_id: str
    algorithm: str
    label: tuple[Path, TaskKey]
    depth: int
    make_job: Callable[[], Mapping[str, Any]]
    on_start: Callable[[], None]
    on_end: Callable[[events.Outcome], None]


class Process(Protocol):
    """What the pool needs from an algorithm's process."""

    def begin(self, job: Mapping[str, Any]) -> None: ...
    def stop(self) -> None: ...
    def end(self) -> None: ...
    def kill(self) -> None: ...


@dataclass
class _Slot:
    """A process, its current and its latest task, and the timer that kills it."""

    process: Process
    task: PoolTask | None = None
    latest: PoolTask | None = None
    timer: Timer | None = None
    is_stopping: bool = False
    lost: str = CONNECTION_LOST


@final
class Pool:
    """The processes, each with a number."""

    def __init__(self, loop: Loop, limit: int, open_process: Callable[[int, str], Process]) -> None:
        """Create a pool without processes.

        Args:
            loop: the loop that calls the pool.
            limit: how many tasks run at once.
            open_process: starts a process, given its number and the name of its algorithm.
        """
        self._loop = loop
        self._open_process = open_process
        self._schedule = Schedule(limit)
        self._tasks: dict[str, PoolTask] = {}
        self._slots: dict[int, _Slot] = {}
        self._processes: dict[Process, threading.Thread | None] = {}
        self._closed = threading.Event()

    def submit(self, task: PoolTask) -> None:
        """Queue a task."""
        self._tasks[task.task_id] = task
        self._schedule.add(task.task_id, task.algorithm, task.depth)

    def stop(self, task_id: str) -> None:
        """Stop a task; it ends as `Stopped`, or as `Lost` if it does not react."""
        task = self._tasks.get(task_id)
        if task is None:
            return
        if self._schedule.remove(task_id):
            self._finish(task, events.Stopped())
            return
        slot = next((each for each in self._slots.values() if each.task is task), None)
        if slot is None:  # it has been scheduled, but not yet handed to a process
            self._finish(task, events.Stopped())
        elif not slot.is_stopping:
            slot.is_stopping = True
            self._kill_after(slot, STOP_TIMEOUT)
            slot.process.stop()

    def task_on(self, number: int) -> PoolTask | None:
        """Return the current task of a process."""
        slot = self._slots.get(number)
        return slot.task if slot is not None else None

    def last_label(self, number: int) -> tuple[Path, TaskKey] | None:
        """Return the label of a process's current or latest task; safe from any thread."""
        slot = self._slots.get(number)
        return slot.latest.label if slot is not None and slot.latest is not None else None

    def call_opened(self, number: int) -> None:
        """Note that the task of a process waits for another call."""
        self._schedule.call_opened(number)

    def call_closed(self, number: int) -> None:
        """Note that the task of a process waits for one call fewer."""
        self._schedule.call_closed(number)

    def apply_schedule(self) -> None:
        """Start the tasks that can start now, and close the processes that are too many."""
        if self._closed.is_set():
            return
        for decision in self._schedule.decide():
            if self._closed.is_set():  # by another thread, while a process was starting
                return
            if isinstance(decision, Close):
                self._end(self._slots.pop(decision.process).process)
                continue
            task = self._tasks.get(decision.task)
            if task is None:  # stopped after the decision
                (self._schedule.gone if isinstance(decision, Open) else self._schedule.freed)(
                    decision.process
                )
            elif isinstance(decision, Assign) or self._open(decision, task):
                slot = self._slots[decision.process]
                slot.task = slot.latest = task
                task.on_start()
                slot.process.begin(task.make_job())

    def handle(self, number: int, event: ProcessEvent) -> None:
        """Handle an event of a process."""
        slot = self._slots.get(number)
        if slot is None:
            return
        task = slot.task
        if isinstance(event, ProcessExited):
            del self._slots[number]
            self._schedule.gone(number)
            self._forget_timer(slot)
            self._end(slot.process)
            if task is not None:
                self._finish(task, events.Lost(_crash(event.code, slot)))
        elif task is None or event.task_id != task.task_id:
            return
        elif isinstance(event.outcome, events.Lost):
            # A crashed process exits soon, and its exit code says more; others must be killed.
            slot.lost = event.outcome.reason
            self._kill_after(slot, CRASH_TIMEOUT if slot.lost == CONNECTION_LOST else 0.0)
        else:
            self._forget_timer(slot)
            slot.task, slot.is_stopping = None, False
            self._schedule.freed(number)
            self._finish(task, event.outcome)

    def close(self) -> list[threading.Thread]:
        """Start nothing more and end the processes; returns the threads that do so."""
        self._closed.set()
        for slot in self._slots.values():
            self._end(slot.process)
        return [thread for thread in self._processes.values() if thread is not None]

    def kill(self) -> None:
        """Start nothing more and end all processes at once; safe from any thread."""
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
            task.on_start()
            self._finish(task, events.Failed("", f"cannot start a process: {reason}", ""))
            return False
        self._slots[decision.process] = _Slot(process)
        self._processes[process] = None
        if self._closed.is_set():  # kill() ran before this process was listed
            process.kill()
        return True

    def _kill_after(self, slot: _Slot, seconds: float) -> None:
        """Kill a process unless it reports something in time."""
        self._forget_timer(slot)
        slot.timer = self._loop.after(seconds, self._run_in_thread, slot.process.kill)

    def _forget_timer(self, slot: _Slot) -> None:
        if slot.timer is not None:
            slot.timer.cancel()
            slot.timer = None

    def _finish(self, task: PoolTask, outcome: events.Outcome) -> None:
        del self._tasks[task.task_id]
        task.on_end(outcome)

    def _end(self, process: Process) -> None:
        if self._processes.get(process) is None:
            self._processes[process] = self._run_in_thread(process.end, process)

    def _run_in_thread(
        self, call: Callable[[], None], process: Process | None = None
    ) -> threading.Thread:
        def run() -> None:
            call()
            if process is not None:
                self._loop.post(self._processes.pop, process, None)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread


def _crash(code: int, slot: _Slot) -> str:
    if slot.is_stopping:
        return f"it did not stop in {STOP_TIMEOUT:.0f} s"
    text = f"its process ended with exit code {code}"
    if slot.lost not in (CONNECTION_LOST, text):
        return slot.lost
    return f"its process ended with {exit_code_text(code)}"
