"""Answers an algorithm's calls by running what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

from ....errors import WrapperError
from ...worker.answers import Answer, Answers, AnswerTable, Call, Failure, Later, Reply
from ..catalog.resources import Resources
from ..run.actions import RunOutcome
from .active_run import ActiveRun, ActiveRuns
from .call_pipelines import check_depth, pipeline_of, reply_of
from .jobs import Place
from .loop import Loop
from .pool import Pool

StartCall = Callable[[Call, Callable[[Reply], None]], Callable[[str], None]]


@dataclass(frozen=True)
class Caller:
    """The algorithm that makes calls.

    Attributes:
        find: returns the place and the node of its current task, or None without a task.
        process: its number in the pool; None for a process outside the pool.
    """

    find: Callable[[], tuple[Place, str] | None]
    process: int | None = None


@final
class CallRuns:
    """Answers calls by running what they ask for, unless the answers file has a reply."""

    def __init__(self, resources: Resources, loop: Loop, pool: Pool, runs: ActiveRuns) -> None:
        """Create it.

        Args:
            resources: what may be run.
            loop: the loop in whose thread runs begin.
            pool: is informed of processes that wait for a call.
            runs: begins the runs.
        """
        self._resources = resources
        self._loop = loop
        self._pool = pool
        self._runs = runs

    def answers(self, caller: Caller) -> Answers:
        """Return the replies to the calls of an algorithm."""
        return _Answers(self._resources.answers, partial(self._start, caller))

    def _start(
        self, caller: Caller, call: Call, reply: Callable[[Reply], None]
    ) -> Callable[[str], None]:
        """Start answering a call, from any thread; returns a function that stops it."""
        child = _Child(caller, call, reply)
        self._loop.post(self._begin, child)
        return partial(self._loop.post, child.stop)

    def _begin(self, child: _Child) -> None:
        place_and_node = child.caller.find()
        if place_and_node is None or child.is_stopped:
            return
        place, node = place_and_node
        found = self._resources
        try:
            below = place.below(node, child.call.name)
            check_depth(below)
            pipeline = pipeline_of(child.call, found.algorithms, found.stored, found.scripted)
        except WrapperError as error:
            child.reply(Failure(str(error)))
            return
        number = child.caller.process

        def ended(outcome: RunOutcome) -> None:
            if number is not None:
                self._pool.call_closed(number)
            child.reply(reply_of(child.call, outcome))

        if number is not None:
            self._pool.call_opened(number)
        child.run = self._runs.begin(pipeline, below, ended)


@dataclass
class _Child:
    """What a call has started; it may be stopped before it begins."""

    caller: Caller
    call: Call
    reply: Callable[[Reply], None]
    run: ActiveRun | None = None
    is_stopped: bool = False

    def stop(self, reason: str) -> None:
        self.is_stopped = True
        if self.run is not None:
            self.run.stop(reason)


class _Answers:
    """Replies to the calls of one process: from the answers file first."""

    def __init__(
        self,
        answers: AnswerTable,
        start: StartCall,
    ) -> None:
        self._answers = answers
        self._start = start

    def find(self, call: Call) -> Answer:
        return self._answers.get(call) or Later(self._start)
