"""Runs pipelines, and whatever their algorithms start, with processes on this machine."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, final

from ...worker import events as worker_events
from ...worker.answers import Answers
from ...worker.waiting import wait_done
from .. import events
from ..catalog.algorithms import check_algorithms
from ..catalog.resources import Resources
from ..descriptor.descriptor import Pipeline
from ..run.actions import RunOutcome, TaskKey
from .active_run import ActiveRun, ActiveRuns
from .call_runs import Caller, CallRuns
from .jobs import Place
from .loop import Loop
from .pool import Pool, Process
from .process import PooledAlgorithm

LEAST_PROCESSES = 4
"""Default number of concurrent tasks on a small machine: algorithms often wait."""

_REPORTED = (
    worker_events.Progress,
    worker_events.SpanStarted,
    worker_events.SpanFinished,
    worker_events.Violation,
)
"""The worker's events that listeners receive."""

_log = logging.getLogger(__name__)


@final
class PipelineEngine:
    """Runs pipelines.

    Use it as a context manager: leaving the context stops running tasks as HKube would, and ends
    all processes. After an exception, or on a KeyboardInterrupt meanwhile, they end at once.
    """

    def __init__(
        self,
        resources: Resources,
        listener: events.Listener = lambda event: None,
        processes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create an engine.

        Args:
            resources: what it may run.
            listener: receives every event, one at a time.
            processes: the number of concurrent tasks, not counting tasks that wait for a call;
                by default the number of CPUs, but at least 4.
            clock: returns seconds, for the times of events and for time limits.
        """
        self._resources = resources
        self._listener = listener
        self._listener_lock = threading.RLock()
        self._clock = clock
        self._loop = Loop(self._after_each_call, self._on_internal_error, clock)
        limit = processes or max(LEAST_PROCESSES, os.cpu_count() or 1)
        self._pool = Pool(self._loop, limit, self._open_process)
        self._runs = ActiveRuns(self._loop, self._pool, self._report, resources.scripted)
        self._calls = CallRuns(resources, self._loop, self._pool, self._runs)
        self._outcome: Future[RunOutcome] = Future()

    def __enter__(self) -> PipelineEngine:
        self._loop.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        try:
            if kind is None:
                self._close()
        finally:
            self.kill()
            self._loop.end()

    def kill(self) -> None:
        """End all processes at once; do not use the engine afterwards."""
        self._pool.kill()

    def run(self, pipeline: Pipeline) -> RunOutcome:
        """Run a pipeline and wait for its outcome.

        Raises:
            WrapperError: one of its algorithms is not available.
        """
        where = f"pipeline '{pipeline.name}'"
        check_algorithms(pipeline, where, self._resources.algorithms, self._resources.scripted)
        outcome: Future[RunOutcome] = Future()
        self._outcome = outcome
        self._loop.post(self._runs.begin, pipeline, Place(), outcome.set_result)
        wait_done(outcome)
        return outcome.result()

    def stop(self, reason: str) -> None:
        """Stop all runs, without waiting for them to end."""
        self._loop.post(self._runs.stop_all, reason)

    def answers_for(self, place: Place, node: str) -> Answers:
        """Return the replies to the calls of an algorithm whose process is outside the pool.

        Args:
            place: where its task belongs.
            node: the name of its node.
        """
        return self._calls.answers(Caller(lambda: (place, node)))

    def _close(self) -> None:
        """Stop running tasks as HKube would, and let all processes exit."""
        self.stop("the local engine is shutting down")
        closed: Future[list[threading.Thread]] = Future()
        self._loop.post(self._close_pool, closed)
        for thread in closed.result():
            thread.join()

    def _close_pool(self, closed: Future[list[threading.Thread]]) -> None:
        try:
            closed.set_result(self._pool.close())
        except Exception as error:
            closed.set_exception(error)  # the waiting thread must learn of it, and clean up
            raise

    def _after_each_call(self) -> None:
        self._pool.apply_schedule()

    def _on_internal_error(self, error: Exception) -> None:
        """Fail the current pipeline: after a bug in the engine it might never end."""
        _log.error("internal error while running pipelines", exc_info=error)
        if not self._outcome.done():
            self._outcome.set_exception(error)

    def _open_process(self, number: int, algorithm: str) -> Process:
        caller = Caller(partial(self._place_of, number), number)
        return PooledAlgorithm(
            self._resources.algorithms.source(algorithm),
            self._calls.answers(caller),
            self._resources.environ,
            self._resources.storage,
            on_process_event=partial(self._loop.post, self._pool.handle, number),
            on_worker_event=partial(self._on_worker_event, number),
            on_lines=partial(self._report_lines, number, algorithm),
        )

    def _task_of(self, number: int) -> tuple[ActiveRun, TaskKey] | None:
        task = self._pool.task_on(number)
        return self._runs.tasks.get(task.task_id) if task is not None else None

    def _place_of(self, number: int) -> tuple[Place, str] | None:
        found = self._task_of(number)
        return (found[0].place, found[1].node) if found is not None else None

    def _on_worker_event(self, number: int, event: worker_events.WorkerEvent) -> None:
        if isinstance(event, _REPORTED):
            self._loop.post(self._report_worker_event, number, event)

    def _report_worker_event(self, number: int, event: worker_events.WorkerEvent) -> None:
        found = self._task_of(number)
        if found is not None:
            run, key = found
            self._report(events.TaskReported, run.place.path, task=key, event=event)

    def _report_lines(self, number: int, algorithm: str, lines: list[str]) -> None:
        path, key = self._pool.last_label(number) or ((), TaskKey(algorithm))
        for line in lines:
            self._report(events.OutputLine, path, task=key, line=line)

    def _report(self, kind: type[events.PipelineEvent], run: events.Path, **facts: Any) -> None:
        """Send an event to the listener; safe from any thread.

        Args:
            kind: the event's class.
            run: the run's path.
            facts: the event's other attributes.
        """
        with self._listener_lock:
            try:
                self._listener(kind(at=self._clock(), run=run, **facts))
            except Exception:  # a broken display must not harm the runs
                _log.exception("a pipeline event listener failed")
