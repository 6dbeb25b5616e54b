"""Answers to the calls of one algorithm that runs by itself, not as a node of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ...worker.answers import Answers, AnswerTable
from .. import events
from ..catalog.algorithms import Algorithms, find_algorithms, load_pipelines
from ..catalog.resources import AtHand
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
    """Run what an algorithm starts, with processes of this machine.

    A context manager: give what it yields to the algorithm's worker; at the end what still runs is
    stopped, and all processes are gone.

    Args:
        node: the name of the algorithm's node, for the events.
        algorithms: a folder or a map of algorithms.
        pipelines: a folder of stored pipelines.
        answers: replies that go before all of these.
        environ: the environment that processes start from.
        listener: hears what becomes of the runs.

    Raises:
        WrapperError: the algorithms or the pipelines cannot be used.
    """
    paths = find_algorithms(algorithms) if algorithms is not None else {}
    where = str(algorithms) if algorithms is not None else "--algorithms names a folder of them"
    stored = load_pipelines(pipelines)
    with Algorithms(paths, where) as found:
        engine = PipelineEngine(AtHand(found, environ, stored, answers), listener)
        try:
            with engine:
                yield engine.answers_for(Place(), node)
        finally:
            engine.kill()
