"""Runs pipelines, and what their algorithms ask for, with processes of this machine."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, final

from ...errors import WrapperError
from .. import events as worker_events
from ..answers import Answer, Answers, AnswerTable, Call, Cancelled, Failure, Later, Reply, Result
from ..storage import LocalStorage
from . import events
from .actions import Outcome, TaskKey
from .active_run import ActiveRun, Services
from .catalog import Algorithms, check_algorithms
from .code_api import check_depth, pipeline_of, reply_of
from .descriptor import Pipeline
from .jobs import Place
from .loop import Loop
from .pool import Pool, Process
from .process import AlgorithmProcess, Ears

LEAST_PROCESSES = 4
"""Tasks at once on a small machine, unless told otherwise: algorithms often wait."""

_WORTH_TELLING = (
    worker_events.Progress,
    worker_events.SpanStarted,
    worker_events.SpanFinished,
    worker_events.Violation,
)


@dataclass(frozen=True)
class AtHand:
    """What the engine may use.

    Attributes:
        algorithms: the algorithms by name.
        stored: the stored pipelines by name.
        answers: replies that go before all of these.
        environ: the environment that processes start from.
        storage: of mode v3; None: inputs and results are in the messages.
    """

    algorithms: Algorithms
    environ: Mapping[str, str]
    stored: Mapping[str, Pipeline] = field(default_factory=dict)
    answers: AnswerTable = field(default_factory=AnswerTable)
    storage: LocalStorage | None = None

    @property
    def scripted(self) -> dict[str, Reply]:
        """What algorithms answer that are not to be run at all."""
        return {
            name: answer
            for name, answer in self.answers.algorithms.items()
            if isinstance(answer, (Result, Failure, Cancelled))
        }


@final
class Engine:
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
        self._telling = _Telling(listener, clock)
        self._loop = Loop(self._after_each, self._fault, clock)
        limit = processes or max(LEAST_PROCESSES, os.cpu_count() or 1)
        self._pool = Pool(self._loop, limit, self._open_process)
        tell, scripted = self._telling.tell, at_hand.scripted
        self._services = Services(self._loop, self._pool, tell, scripted, {})
        self._runs: set[ActiveRun] = set()
        self._outcome: Future[Outcome] = Future()

    def __enter__(self) -> Engine:
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
        return _EngineAnswers(self._at_hand, partial(self._start_call, lambda: (place, node), None))

    def _close(self) -> None:
        """Stop what runs, as HKube would, and have all processes exit."""
        self.stop("the local engine ends")
        closed: Future[list[threading.Thread]] = Future()
        self._loop.post(lambda: closed.set_result(self._pool.close()))
        for thread in closed.result():
            thread.join()

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
        start = partial(self._start_call, partial(self._place_of, number), number)
        ears = Ears(
            fact=partial(self._loop.post, self._pool.hear, number),
            event=partial(self._worker_said, number),
            line=partial(self._wrote, number, algorithm),
        )
        return AlgorithmProcess(
            self._at_hand.algorithms.source(algorithm),
            _EngineAnswers(self._at_hand, start),
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

    def _worker_said(self, number: int, event: worker_events.Event) -> None:
        if isinstance(event, _WORTH_TELLING):
            self._loop.post(self._heard, number, event)

    def _heard(self, number: int, event: worker_events.Event) -> None:
        found = self._task_of(number)
        if found is not None:
            run, key = found
            self._telling.tell(events.TaskTold, run.place.path, task=key, event=event)

    def _wrote(self, number: int, algorithm: str, line: str) -> None:
        path, node = self._pool.last_label(number) or ((), algorithm)
        self._telling.tell(events.OutputLine, path, node=node, line=line)

    def _start_call(
        self,
        caller: Callable[[], tuple[Place, str] | None],
        number: int | None,
        call: Call,
        reply: Callable[[Reply], None],
    ) -> Callable[[str], None]:
        child = _Child()
        self._loop.post(self._begin_call, caller, number, call, reply, child)
        return partial(self._loop.post, child.stop)

    def _begin_call(
        self,
        caller: Callable[[], tuple[Place, str] | None],
        number: int | None,
        call: Call,
        reply: Callable[[Reply], None],
        child: _Child,
    ) -> None:
        found = caller()
        if found is None or child.is_stopped:
            return
        place, node = found
        try:
            below = place.below(node, call.name)
            check_depth(below)
            at_hand = self._at_hand
            pipeline = pipeline_of(call, at_hand.algorithms, at_hand.stored, at_hand.scripted)
        except WrapperError as error:
            reply(Failure(str(error)))
            return

        def ended(outcome: Outcome) -> None:
            if number is not None:
                self._pool.call_closed(number)
            reply(reply_of(call, outcome))

        if number is not None:
            self._pool.call_opened(number)
        child.run = self._begin(pipeline, below, ended)


class _Child:
    """What a call has started; it may be stopped before it has begun."""

    def __init__(self) -> None:
        self.run: ActiveRun | None = None
        self.is_stopped = False

    def stop(self, reason: str) -> None:
        self.is_stopped = True
        if self.run is not None:
            self.run.stop(reason)


class _EngineAnswers:
    """Replies to the calls of one process: those of the file first."""

    def __init__(
        self,
        at_hand: AtHand,
        start: Callable[[Call, Callable[[Reply], None]], Callable[[str], None]],
    ) -> None:
        self._answers = at_hand.answers
        self._start = start

    def find(self, call: Call) -> Answer:
        return self._answers.get(call) or Later(self._start)


class _Telling:
    """Makes events and hands them to the listener, one at a time."""

    def __init__(self, listener: events.Listener, clock: Callable[[], float]) -> None:
        self._listener = listener
        self._clock = clock
        self._lock = threading.RLock()

    def tell(self, kind: type[events.Event], run: events.Path, **facts: Any) -> None:
        with self._lock:
            try:
                self._listener(kind(at=self._clock(), run=run, **facts))
            except Exception:  # whoever shows the events must not harm the runs
                logging.getLogger(__name__).exception("a listener of the pipelines failed")
