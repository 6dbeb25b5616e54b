"""The options of `hkube-wrapper run`, and helpers for every way of running it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .local_worker import listen_at, worker_at

if TYPE_CHECKING:
    from ..local.show.screen import Screen
    from ..local.source.source import AlgorithmSource
    from ..local.worker import events
    from ..local.worker.answers import Answers, AnswerTable
    from ..local.worker.storage import LocalStorage
    from ..local.worker.worker import LocalWorker
    from .run_view import RunView
    from .task_inputs import TaskInput


@dataclass(frozen=True)
class RunRequest:
    """The parsed and checked options of the command.

    Attributes:
        path: the algorithm's path.
        tasks: the input of each task.
        files: the files that options were read from.
        extra_data: each task's `info.extraData`.
        algorithms: folder or map of the algorithms that this one may start.
        pipelines: folder of the stored pipelines that it may start.
        answers: replies to its calls, used before anything else.
        timeout: seconds that a task may take; None: no limit.
        as_json: print an object for each task instead of its result.
        in_process: run user code in this process.
        port: the worker's TCP port; 0: any free one.
        storage: `fs` for mode v3.
        watch_also: patterns of files whose change starts another run, besides code.
        output: absolute path of a file for the result.
        quiet: show only what algorithms write, warnings and errors.
        variables: environment variables of the algorithm, which override all others.
        metrics: folder for TensorBoard files; None for a temporary one.
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
    watch_also: Sequence[str] = ()
    output: Path | None = None
    quiet: bool = False
    metrics: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the run's processes."""
        return {**os.environ, **self.variables}


@contextmanager
def open_source(request: RunRequest) -> Iterator[AlgorithmSource]:
    """Find the algorithm; see `open_algorithm`. It has the variables of the command line."""
    from ..local.source.source import open_algorithm

    with open_algorithm(request.path) as source:
        yield replace(source, environ={**source.environ, **request.variables})


@contextmanager
def open_worker(
    request: RunRequest,
    source: AlgorithmSource,
    view: RunView,
    listener: events.Listener,
    storage: LocalStorage | None,
    listening: socket.socket | None = None,
) -> Iterator[LocalWorker]:
    """Start the local worker, and everything that answers the algorithm's calls.

    Args:
        request: the command's options.
        source: the algorithm.
        view: shows what the algorithm's calls start.
        listener: receives the worker's events.
        storage: the storage of mode v3; None for mode v1.
        listening: the socket that the algorithm connects to; None: listen now.
    """
    with ExitStack() as stack:
        answers: Answers = request.answers
        if request.algorithms is not None or request.pipelines is not None:
            from ..local.pipeline.engine.open_calls import open_calls
            from ..local.pipeline.show.lines import PipelineLines

            lines = PipelineLines(view.screen.line, view.started, brief=True)
            paths = (request.algorithms, request.pipelines)
            calls = open_calls(source.name, *paths, request.answers, request.environ, lines)
            answers = stack.enter_context(calls)
        listening = listening or listen_at(request.port)
        yield stack.enter_context(worker_at(listening, listener, answers, storage))


def view_of(
    request: RunRequest, source: AlgorithmSource, screen: Screen, started: float, results: TextIO
) -> RunView:
    """Return what shows a run, as the options want it.

    Args:
        request: the command's options.
        source: the algorithm.
        screen: where lines go.
        started: when the command began, in seconds of the monotonic clock.
        results: where results go.
    """
    from .run_view import RunView

    return RunView(
        screen,
        started,
        request.as_json,
        results,
        source,
        output=request.output,
        quiet=request.quiet,
    )


def make_jobs(request: RunRequest, source: AlgorithmSource) -> Sequence[Mapping[str, Any]]:
    """Return the `initialize` data of each task."""
    from ..local.worker.job import make_job

    jobs = [make_job(task.items, source.name) for task in request.tasks]
    for job, task in zip(jobs, request.tasks, strict=True):
        job["batchIndex"] = task.batch_index
        if task.stream_input is not None:
            # As HKube's debug gateway hands a message to a stateless node.
            job |= {
                "stateType": "stateless",
                "parents": [task.stream_input["origin"]],
                "streamInput": dict(task.stream_input),
            }
        job["info"]["extraData"] = dict(request.extra_data)
    return jobs


def report_remarks(source: AlgorithmSource, view: RunView) -> None:
    """Show warnings about an algorithm that can still run."""
    for remark in source.remarks:
        view.terminal.say(f"warning: {remark}", "yellow")
