"""Carries out the decisions of a pipeline run, and feeds it what happens to its tasks.

Everything in this module is called in the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

from ...show.advice import pipeline_advice
from ...worker import events as worker_events
from ...worker.answers import Cancelled, Failure, Reply, Result
from ...worker.ids import random_id
from .. import events
from ..descriptor.descriptor import Pipeline
from ..run.actions import (
    Action,
    EndRun,
    FailureKind,
    ReportNodeEnded,
    ReportNodeSkipped,
    ReportPathMissing,
    RunOutcome,
    StartTask,
    StopTask,
    TaskKey,
)
from ..run.pipeline_run import PipelineRun
from .jobs import Place, task_job
from .loop import Loop, Timer
from .pool import Pool, PoolTask

Report = Callable[..., None]
"""Reports an event, given its class, the run's path and the event's other attributes by name."""


@final
class ActiveRuns:
    """The runs that have not ended, and what they share.

    Attributes:
        tasks: the run and the key of each unfinished task, by its id.
    """

    def __init__(
        self, loop: Loop, pool: Pool, report: Report, scripted: Mapping[str, Reply]
    ) -> None:
        """Create it without runs.

        Args:
            loop: calls the timers of the runs.
            pool: executes their tasks.
            report: reports their events.
            scripted: replies in place of algorithms, by the algorithm's name.
        """
        self.loop = loop
        self.pool = pool
        self.report = report
        self.scripted = scripted
        self.tasks: dict[str, tuple[ActiveRun, TaskKey]] = {}
        self._runs: set[ActiveRun] = set()

    def begin(
        self, pipeline: Pipeline, place: Place, on_end: Callable[[RunOutcome], None]
    ) -> ActiveRun:
        """Begin a run.

        Args:
            pipeline: the pipeline to run.
            place: where the run belongs.
            on_end: called with the run's outcome.
        """

        def ended(outcome: RunOutcome) -> None:
            self._runs.discard(run)
            on_end(outcome)

        run = ActiveRun(pipeline, place, self, ended)
        self._runs.add(run)
        run.begin()
        return run

    def stop_all(self, reason: str) -> None:
        """Stop every run."""
        for run in list(self._runs):
            run.stop(reason)


@final
class ActiveRun:
    """One run, from start to outcome."""

    def __init__(
        self,
        pipeline: Pipeline,
        place: Place,
        runs: ActiveRuns,
        on_end: Callable[[RunOutcome], None],
    ) -> None:
        """Prepare a run.

        Args:
            pipeline: the pipeline to run.
            place: where the run belongs.
            runs: what it shares with the other runs.
            on_end: called with the run's outcome.
        """
        self.place = place
        self._pipeline = pipeline
        self._runs = runs
        self._on_end = on_end
        self._run = PipelineRun(pipeline)
        self._task_ids: dict[TaskKey, str] = {}
        self._started_keys: set[TaskKey] = set()
        self._timers: dict[TaskKey | None, Timer] = {}

    def begin(self) -> None:
        """Start the nodes that do not wait for others."""
        nodes = tuple((node.name, node.algorithm) for node in self._pipeline.nodes)
        self._report(events.RunStarted, name=self._pipeline.name, nodes=nodes)
        if self._pipeline.ttl:
            self._set_timer(None, self._pipeline.ttl, self._expire)
        self._do(self._run.begin())

    def stop(self, reason: str) -> None:
        """Stop the run and its running tasks."""
        self._do(self._run.stop(reason))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, StartTask):
                self._start(action)
            elif isinstance(action, StopTask):
                task_id = self._task_ids.get(action.key)
                if task_id is not None:
                    self._runs.pool.stop(task_id)
            elif isinstance(action, ReportNodeSkipped):
                self._report(events.NodeSkipped, node=action.node, why=action.why)
            elif isinstance(action, ReportPathMissing):
                facts = {"reference": action.reference, "suggestion": action.suggestion}
                self._report(events.PathMissing, node=action.node, **facts)
            elif isinstance(action, ReportNodeEnded):
                self._report(events.NodeEnded, node=action.node)
            elif isinstance(action, EndRun):
                self._end(action.outcome)

    def _start(self, start: StartTask) -> None:
        key = start.key
        self._report(events.TaskQueued, task=key, attempts=start.attempts)
        scripted = self._runs.scripted.get(start.node.algorithm)
        if scripted is not None:
            self._runs.loop.post(self._apply_script, key, scripted)
            return
        task_id = random_id(12)
        self._task_ids[key] = task_id
        self._runs.tasks[task_id] = (self, key)
        self._runs.pool.submit(
            PoolTask(
                task_id,
                start.node.algorithm,
                (self.place.path, key),
                self.place.depth,
                make_job=lambda: task_job(self._pipeline, self.place, start, task_id),
                on_start=lambda: self._task_started(start),
                on_end=lambda outcome: self._task_ended(start, task_id, outcome),
            )
        )

    def _task_started(self, start: StartTask) -> None:
        self._started_keys.add(start.key)
        self._report(events.TaskStarted, task=start.key)
        if start.node.ttl:
            self._set_timer(start.key, start.node.ttl, self._task_expired, start)

    def _task_ended(self, start: StartTask, task_id: str, outcome: worker_events.Outcome) -> None:
        key = start.key
        del self._runs.tasks[task_id]
        was_running = key in self._started_keys
        self._started_keys.discard(key)
        if self._task_ids.get(key) != task_id:
            return  # it expired, and its failure has been reported
        del self._task_ids[key]
        self._forget_timer(key)
        match outcome:
            case worker_events.Done():
                self._report(events.TaskDone, task=key, is_null=outcome.result is None)
                self._do(self._run.task_done(key, outcome.result))
            case worker_events.Failed():
                job = task_job(self._pipeline, self.place, start, task_id)
                hint = pipeline_advice(outcome, job)
                self._fail(key, outcome.message, FailureKind.ERROR, outcome.details, hint)
            case worker_events.Lost():
                self._fail(key, outcome.reason, FailureKind.CRASH)
            case worker_events.Stopped() if self._run.outcome is None:
                text = "it reported that it was stopped, but nobody stopped it"
                self._fail(key, text, FailureKind.ERROR)
            case worker_events.Stopped():
                self._report(events.TaskStopped, task=key, was_running=was_running)

    def _fail(
        self,
        key: TaskKey,
        text: str,
        kind: FailureKind,
        details: str = "",
        hint: str | None = None,
    ) -> None:
        self._report(events.TaskFailed, task=key, text=text, details=details, hint=hint)
        self._do(self._run.task_failed(key, text, kind))

    def _apply_script(self, key: TaskKey, reply: Reply) -> None:
        """End a task with a scripted reply."""
        if self._run.outcome is not None:
            self._report(events.TaskStopped, task=key, was_running=False)
            return
        self._report(events.TaskStarted, task=key)
        match reply:
            case Result():
                self._report(events.TaskDone, task=key)
                self._do(self._run.task_done(key, reply.value))
            case Failure():
                self._fail(key, reply.text, FailureKind.ERROR)
            case Cancelled():
                self._fail(key, reply.reason, FailureKind.ERROR)

    def _task_expired(self, start: StartTask) -> None:
        """Fail a task that exceeds its node's ttl; its later outcome is ignored."""
        task_id = self._task_ids.pop(start.key)
        text = f"it took longer than its node's ttl of {start.node.ttl} s"
        self._runs.pool.stop(task_id)
        self._fail(start.key, text, FailureKind.EXPIRED)

    def _expire(self) -> None:
        self._do(self._run.expire())

    def _end(self, outcome: RunOutcome) -> None:
        for key in list(self._timers):
            self._forget_timer(key)
        self._report(events.RunEnded, outcome=outcome)
        self._on_end(outcome)

    def _set_timer(
        self, key: TaskKey | None, seconds: float, call: Callable[..., None], *arguments: Any
    ) -> None:
        self._timers[key] = self._runs.loop.after(seconds, call, *arguments)

    def _forget_timer(self, key: TaskKey | None) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _report(self, kind: type[events.PipelineEvent], **facts: Any) -> None:
        self._runs.report(kind, self.place.path, **facts)
