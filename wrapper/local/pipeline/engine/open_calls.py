"""Answers the calls of a single algorithm that is not a node of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...worker.answers import Answers, AnswerTable
from .. import events
from ..catalog.algorithms import Algorithms, find_algorithms
from ..catalog.resources import Resources
from ..catalog.stored_pipelines import StoredPipelines, load_pipelines
from .engine import PipelineEngine
from .jobs import Place


@contextmanager
def open_calls(
    node: str,
    algorithms: Path | None,
    pipelines: Path | None,
    answers: AnswerTable,
    environ: Mapping[str, str],
    listener: events.Listener = lambda event: None,
) -> Iterator[Answers]:
    """Run what an algorithm starts, with processes on this machine.

    A context manager. Pass the answers that it yields to the algorithm's worker. Leaving the
    context stops what still runs, and ends all processes.

    Args:
        node: the name of the algorithm's node, for the events.
        algorithms: a folder of algorithms, or a map file.
        pipelines: a folder of stored pipelines.
        answers: replies that take precedence over running anything.
        environ: the base environment of the processes.
        listener: receives the events of the runs.

    Raises:
        WrapperError: the algorithms or pipelines cannot be used.
    """
    paths = find_algorithms(algorithms) if algorithms is not None else {}
    where = str(algorithms) if algorithms is not None else "give a folder of them with --algorithms"
    stored = load_pipelines(pipelines)
    with (
        Algorithms(paths, where) as found,
        calls_of(node, found, stored, answers, environ, listener) as calls,
    ):
        yield calls


@contextmanager
def calls_of(
    node: str,
    algorithms: Algorithms,
    stored: StoredPipelines,
    answers: AnswerTable,
    environ: Mapping[str, str],
    listener: events.Listener = lambda event: None,
) -> Iterator[Answers]:
    """Run what algorithms start; see `open_calls`.

    Args:
        node: the name of the algorithms' node, for the events.
        algorithms: the algorithms of this machine.
        stored: the stored pipelines by name.
        answers: replies that take precedence over running anything.
        environ: the base environment of the processes.
        listener: receives the events of the runs.
    """
    engine = PipelineEngine(Resources(algorithms, environ, stored, answers), listener)
    try:
        with engine:
            yield engine.answers_for(Place(), node)
    finally:
        engine.kill()
