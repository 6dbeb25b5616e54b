"""A run of a pipeline at work: what it decides is done, what happens is told to it.

Everything here is called in the loop's thread.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from ...show.advice import pipeline_advice
from ...worker import events as worker_events
from ...worker.answers import Cancelled, Failure, Reply, Result
from .. import events
from ..descriptor.descriptor import Pipeline
from ..run.actions import (
    Action,
    End,
    Outcome,
    ReportNodeEnded,
    ReportNodeSkipped,
    StartTask,
    StopTask,
    TaskKey,
)
from ..run.actions import FailureKind as TaskFailure
from ..run.pipeline_run import PipelineRun
from .jobs import Place, task_job
from .loop import Loop, Timer
from .pool import Pool, PoolTask

Tell = Callable[..., None]
"""Tells an event: its class, the run's path, and its facts by name."""


@dataclass(frozen=True)
class Services:
    """What all runs share.

    Attributes:
        scripted: what algorithms answer that are not to be run at all.
        tasks: the run and the key of each task that has not ended, by its id.
    """

    loop: Loop
    pool: Pool
    tell: Tell
    scripted: Mapping[str, Reply]
    tasks: dict[str, tuple[ActiveRun, TaskKey]]


@final
class ActiveRun:
    """One run, from its begin to its outcome."""

    def __init__(
        self,
        pipeline: Pipeline,
        place: Place,
        services: Services,
        ended: Callable[[Outcome], None],
    ) -> None:
        """Prepare a run.

        Args:
            place: where it belongs.
            ended: called with its outcome.
        """
        self.place = place
        self._pipeline = pipeline
        self._services = services
        self._ended = ended
        self._run = PipelineRun(pipeline)
        self._task_ids: dict[TaskKey, str] = {}
        self._started_keys: set[TaskKey] = set()
        self._timers: dict[TaskKey | None, Timer] = {}

    def begin(self) -> None:
        """Start the nodes that wait for nothing."""
        nodes = tuple((node.name, node.algorithm) for node in self._pipeline.nodes)
        self._tell(events.RunStarted, name=self._pipeline.name, nodes=nodes)
        if self._pipeline.ttl:
            self._set_timer(None, self._pipeline.ttl, self._expire)
        self._do(self._run.begin())

    def stop(self, reason: str) -> None:
        """Stop it, and the tasks that run."""
        self._do(self._run.stop(reason))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, StartTask):
                self._start(action)
            elif isinstance(action, StopTask):
                task_id = self._task_ids.get(action.key)
                if task_id is not None:
                    self._services.pool.stop(task_id)
            elif isinstance(action, ReportNodeSkipped):
                self._tell(events.NodeSkipped, node=action.node, why=action.why)
            elif isinstance(action, ReportNodeEnded):
                self._tell(events.NodeEnded, node=action.node)
            elif isinstance(action, End):
                self._end(action.outcome)

    def _start(self, start: StartTask) -> None:
        key = start.key
        self._tell(events.TaskWaiting, task=key, attempts=start.attempts)
        scripted = self._services.scripted.get(start.node.algorithm)
        if scripted is not None:
            self._services.loop.post(self._script, key, scripted)
            return
        task_id = secrets.token_hex(6)
        self._task_ids[key] = task_id
        self._services.tasks[task_id] = (self, key)
        self._services.pool.submit(
            PoolTask(
                task_id,
                start.node.algorithm,
                (self.place.path, start.node.name),
                self.place.depth,
                job=lambda: task_job(self._pipeline, self.place, start, task_id),
                started=lambda: self._started(start),
                ended=lambda outcome: self._task_ended(start, task_id, outcome),
            )
        )

    def _started(self, start: StartTask) -> None:
        self._started_keys.add(start.key)
        self._tell(events.TaskRunning, task=start.key)
        if start.node.ttl:
            self._set_timer(start.key, start.node.ttl, self._task_expired, start)

    def _task_ended(self, start: StartTask, task_id: str, outcome: worker_events.Outcome) -> None:
        key = start.key
        del self._services.tasks[task_id]
        was_running = key in self._started_keys
        self._started_keys.discard(key)
        if self._task_ids.get(key) != task_id:
            return  # it took too long, and was told to have failed
        del self._task_ids[key]
        self._forget_timer(key)
        match outcome:
            case worker_events.Done():
                self._tell(events.TaskDone, task=key)
                self._do(self._run.task_done(key, outcome.result))
            case worker_events.Failed():
                job = task_job(self._pipeline, self.place, start, task_id)
                hint = pipeline_advice(outcome, job)
                self._fail(key, outcome.message, TaskFailure.ERROR, outcome.details, hint)
            case worker_events.Lost():
                self._fail(key, outcome.reason, TaskFailure.CRASH)
            case worker_events.Stopped() if self._run.outcome is None:
                text = "it said that it was stopped, but nobody had stopped it"
                self._fail(key, text, TaskFailure.ERROR)
            case worker_events.Stopped():
                self._tell(events.TaskStopped, task=key, was_running=was_running)

    def _fail(
        self,
        key: TaskKey,
        text: str,
        failure: TaskFailure,
        details: str = "",
        hint: str | None = None,
    ) -> None:
        self._tell(events.TaskFailed, task=key, text=text, details=details, hint=hint)
        self._do(self._run.task_failed(key, text, failure))

    def _script(self, key: TaskKey, answer: Reply) -> None:
        """End a task with what a file has for it."""
        if self._run.outcome is not None:
            self._tell(events.TaskStopped, task=key, was_running=False)
            return
        self._tell(events.TaskRunning, task=key)
        match answer:
            case Result():
                self._tell(events.TaskDone, task=key)
                self._do(self._run.task_done(key, answer.value))
            case Failure():
                self._fail(key, answer.text, TaskFailure.ERROR)
            case Cancelled():
                self._fail(key, answer.reason, TaskFailure.ERROR)

    def _task_expired(self, start: StartTask) -> None:
        """End a task that takes longer than its node allows: what it still says is too late."""
        task_id = self._task_ids.pop(start.key)
        text = f"it took longer than its node's ttl of {start.node.ttl} s"
        self._services.pool.stop(task_id)
        self._fail(start.key, text, TaskFailure.EXPIRED)

    def _expire(self) -> None:
        self._do(self._run.expire())

    def _end(self, outcome: Outcome) -> None:
        for key in list(self._timers):
            self._forget_timer(key)
        self._tell(events.RunEnded, outcome=outcome)
        self._ended(outcome)

    def _set_timer(
        self, key: TaskKey | None, seconds: float, call: Callable[..., None], *arguments: Any
    ) -> None:
        self._timers[key] = self._services.loop.after(seconds, call, *arguments)

    def _forget_timer(self, key: TaskKey | None) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _tell(self, kind: type[events.PipelineEvent], **facts: Any) -> None:
        self._services.tell(kind, self.place.path, **facts)
