"""Calls of algorithms become runs, and the outcomes of these the replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

from ....errors import WrapperError
from ...worker.answers import Answer, Answers, AnswerTable, Call, Failure, Later, Reply
from ..catalog.resources import AtHand
from ..descriptor.descriptor import Pipeline
from ..run.actions import Outcome
from .active_run import ActiveRun
from .call_pipelines import check_depth, pipeline_of, reply_of
from .jobs import Place
from .loop import Loop
from .pool import Pool

BeginRun = Callable[[Pipeline, Place, Callable[[Outcome], None]], ActiveRun]
StartCall = Callable[[Call, Callable[[Reply], None]], Callable[[str], None]]


@dataclass(frozen=True)
class Caller:
    """Who makes calls.

    Attributes:
        find: the place and the node of its task at the moment; None if it has none.
        process: its number in the pool; None if it is not the engine's own.
    """

    find: Callable[[], tuple[Place, str] | None]
    process: int | None = None


@final
class CallRuns:
    """Answers calls by running what they ask for, unless a file has the reply."""

    def __init__(self, at_hand: AtHand, loop: Loop, pool: Pool, begin: BeginRun) -> None:
        """Prepare it.

        Args:
            at_hand: what may be run.
            loop: whose thread runs are begun in.
            pool: hears which of its processes wait for calls.
            begin: begins a run at a place, and has its outcome told.
        """
        self._at_hand = at_hand
        self._loop = loop
        self._pool = pool
        self._begin_run = begin

    def answers(self, caller: Caller) -> Answers:
        """Return the replies to the calls of an algorithm."""
        return _Answers(self._at_hand.answers, partial(self._start, caller))

    def _start(
        self, caller: Caller, call: Call, reply: Callable[[Reply], None]
    ) -> Callable[[str], None]:
        """Begin with a call, in whatever thread it comes; returns what stops it."""
        child = _Child(caller, call, reply)
        self._loop.post(self._begin, child)
        return partial(self._loop.post, child.stop)

    def _begin(self, child: _Child) -> None:
        place_and_node = child.caller.find()
        if place_and_node is None or child.is_stopped:
            return
        place, node = place_and_node
        at_hand = self._at_hand
        try:
            below = place.below(node, child.call.name)
            check_depth(below)
            pipeline = pipeline_of(child.call, at_hand.algorithms, at_hand.stored, at_hand.scripted)
        except WrapperError as error:
            child.reply(Failure(str(error)))
            return
        number = child.caller.process

        def ended(outcome: Outcome) -> None:
            if number is not None:
                self._pool.call_closed(number)
            child.reply(reply_of(child.call, outcome))

        if number is not None:
            self._pool.call_opened(number)
        child.run = self._begin_run(pipeline, below, ended)


@dataclass
class _Child:
    """What a call has started; it may be stopped before it has begun."""

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
    """Replies to the calls of one process: those of the file first."""

    def __init__(
        self,
        answers: AnswerTable,
        start: StartCall,
    ) -> None:
        self._answers = answers
        self._start = start

    def find(self, call: Call) -> Answer:
        return self._answers.get(call) or Later(self._start)
