"""What `hkube-wrapper run` was asked for, and what every way of running it needs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..local.source.source import AlgorithmSource
from ..local.worker.answers import Answers, AnswerTable
from ..local.worker.job import make_job
from ..local.worker.storage import LocalStorage
from ..local.worker.worker import LocalWorker
from .local_worker import worker_at
from .run_view import Show
from .task_inputs import TaskInput


@dataclass(frozen=True)
class RunRequest:
    """The options of the command, read and checked.

    Attributes:
        path: of the algorithm.
        tasks: the input of each task.
        files: those that options were read from.
        extra_data: `info.extraData` of each task.
        algorithms: folder or map of those that this one may start.
        pipelines: folder of stored pipelines that it may start.
        answers: replies to its calls, which go first.
        timeout: seconds for a task.
        as_json: an object a task, in place of its result.
        in_process: no process for the algorithm.
        port: of the worker.
        storage: `fs` for mode v3.
    """

    path: str
    tasks: Sequence[TaskInput]
    files: Sequence[Path]
    extra_data: Mapping[str, Any]
    algorithms: Path | None
    pipelines: Path | None
    answers: AnswerTable
    timeout: float | None
    as_json: bool
    in_process: bool
    port: int
    storage: str | None = None


@contextmanager
def open_worker(
    request: RunRequest, source: AlgorithmSource, show: Show, storage: LocalStorage | None
) -> Iterator[LocalWorker]:
    """The local worker, and what answers the algorithm's calls."""
    with ExitStack() as stack:
        answers: Answers = request.answers
        if request.algorithms is not None or request.pipelines is not None:
            from ..local.pipeline.engine.open_calls import open_calls
            from ..local.pipeline.show.lines import PipelineLines

            lines = PipelineLines(show.screen.line, show.started, brief=True)
            paths = (request.algorithms, request.pipelines)
            calls = open_calls(source.name, *paths, request.answers, os.environ, lines)
            answers = stack.enter_context(calls)
        yield stack.enter_context(worker_at(request.port, show, answers, storage))


def make_jobs(request: RunRequest, source: AlgorithmSource) -> Sequence[Mapping[str, Any]]:
    """Return the data of each task's `initialize`."""
    jobs = [make_job(task.items, source.name) for task in request.tasks]
    for job, task in zip(jobs, request.tasks, strict=True):
        job["batchIndex"] = task.batch_index
        job["info"]["extraData"] = dict(request.extra_data)
    return jobs


def say_remarks(source: AlgorithmSource, show: Show) -> None:
    """Say what is odd about the algorithm, though it can be run."""
    for remark in source.remarks:
        show.terminal.say(f"warning: {remark}", "yellow")
