"""Runs pipelines, and what their algorithms ask for, with processes of this machine."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import final

from ...worker import events as worker_events
from ...worker.answers import Answers
from ...worker.waiting import wait_done
from .. import events
from ..catalog.algorithms import check_algorithms
from ..catalog.resources import AtHand
from ..descriptor.descriptor import Pipeline
from ..run.actions import Outcome, TaskKey
from .active_run import ActiveRun, Services
from .call_runs import Caller, CallRuns
from .jobs import Place
from .loop import Loop
from .pool import Pool, Process
from .process import Ears, PooledAlgorithm
from .telling import Telling

LEAST_PROCESSES = 4
"""Tasks at once on a small machine, unless told otherwise: algorithms often wait."""

_WORTH_TELLING = (
    worker_events.Progress,
    worker_events.SpanStarted,
    worker_events.SpanFinished,
    worker_events.Violation,
)


@final
class PipelineEngine:
    """Runs pipelines.

    A context manager: at its end what still runs is stopped, as HKube would, and all processes
    are gone. After an exception, and with a KeyboardInterrupt meanwhile, that happens at once.
    """

    def __init__(
        self,
        at_hand: AtHand,
        listener: events.Listener = lambda event: None,
        processes: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare an engine.

        Args:
            listener: hears every event, one at a time.
            processes: how many tasks run at once, those not counted that wait for a call;
                None for as many as there are CPUs, and 4 at least.
            clock: seconds for the events' times and for limits.
        """
        self._at_hand = at_hand
        self._telling = Telling(listener, clock)
        self._loop = Loop(self._after_each, self._fault, clock)
        limit = processes or max(LEAST_PROCESSES, os.cpu_count() or 1)
        self._pool = Pool(self._loop, limit, self._open_process)
        tell, scripted = self._telling.tell, at_hand.scripted
        self._services = Services(self._loop, self._pool, tell, scripted, {})
        self._calls = CallRuns(at_hand, self._loop, self._pool, self._begin)
        self._runs: set[ActiveRun] = set()
        self._outcome: Future[Outcome] = Future()

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
        """End all processes at once; nothing is to be done with the engine afterwards."""
        self._pool.kill()

    def run(self, pipeline: Pipeline) -> Outcome:
        """Run a pipeline and wait for its outcome.

        Raises:
            WrapperError: an algorithm of it is not at hand.
        """
        where = f"pipeline '{pipeline.name}'"
        check_algorithms(pipeline, where, self._at_hand.algorithms, self._at_hand.scripted)
        outcome: Future[Outcome] = Future()
        self._outcome = outcome
        self._loop.post(self._begin, pipeline, Place(), outcome.set_result)
        wait_done(outcome)
        return outcome.result()

    def stop(self, reason: str) -> None:
        """Stop all runs; this returns at once."""
        self._loop.post(self._stop_all, reason)

    def answers_for(self, place: Place, node: str) -> Answers:
        """Return the replies to the calls of an algorithm whose process is not the engine's own.

        Args:
            place: where its task belongs.
            node: the name of its node.
        """
        return self._calls.answers(Caller(lambda: (place, node)))

    def _close(self) -> None:
        """Stop what runs, as HKube would, and have all processes exit."""
        self.stop("the local engine ends")
        closed: Future[list[threading.Thread]] = Future()
        self._loop.post(self._close_pool, closed)
        for thread in closed.result():
            thread.join()

    def _close_pool(self, closed: Future[list[threading.Thread]]) -> None:
        try:
            closed.set_result(self._pool.close())
        except Exception as error:
            closed.set_exception(error)  # whoever waits for it is to know, and to end the rest
            raise

    def _begin(
        self, pipeline: Pipeline, place: Place, ended: Callable[[Outcome], None]
    ) -> ActiveRun:
        def over(outcome: Outcome) -> None:
            self._runs.discard(run)
            ended(outcome)

        run = ActiveRun(pipeline, place, self._services, over)
        self._runs.add(run)
        run.begin()
        return run

    def _stop_all(self, reason: str) -> None:
        for run in list(self._runs):
            run.stop(reason)

    def _after_each(self) -> None:
        self._pool.arrange()

    def _fault(self, error: Exception) -> None:
        """Hear that something here is broken: whoever waits for the pipeline waits in vain."""
        logging.getLogger(__name__).error("a fault of the local pipelines", exc_info=error)
        if not self._outcome.done():
            self._outcome.set_exception(error)

    def _open_process(self, number: int, algorithm: str) -> Process:
        caller = Caller(partial(self._place_of, number), number)
        ears = Ears(
            fact=partial(self._loop.post, self._pool.hear, number),
            event=partial(self._worker_said, number),
            line=partial(self._wrote, number, algorithm),
        )
        return PooledAlgorithm(
            self._at_hand.algorithms.source(algorithm),
            self._calls.answers(caller),
            ears,
            self._at_hand.environ,
            self._at_hand.storage,
        )

    def _task_of(self, number: int) -> tuple[ActiveRun, TaskKey] | None:
        task = self._pool.task_on(number)
        return self._services.tasks.get(task.task_id) if task is not None else None

    def _place_of(self, number: int) -> tuple[Place, str] | None:
        found = self._task_of(number)
        return (found[0].place, found[1].node) if found is not None else None

    def _worker_said(self, number: int, event: worker_events.WorkerEvent) -> None:
        if isinstance(event, _WORTH_TELLING):
            self._loop.post(self._heard, number, event)

    def _heard(self, number: int, event: worker_events.WorkerEvent) -> None:
        found = self._task_of(number)
        if found is not None:
            run, key = found
            self._telling.tell(events.TaskTold, run.place.path, task=key, event=event)

    def _wrote(self, number: int, algorithm: str, line: str) -> None:
        path, node = self._pool.last_label(number) or ((), algorithm)
        self._telling.tell(events.OutputLine, path, node=node, line=line)
