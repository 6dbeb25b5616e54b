"""What `hkube-wrapper pipeline run` does, once its options are read."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ..local.pipeline.catalog.algorithms import (
    Algorithms,
    check_algorithms,
    find_algorithms,
    load_pipelines,
    read_pipeline,
)
from ..local.pipeline.catalog.resources import AtHand
from ..local.pipeline.descriptor.descriptor import Pipeline
from ..local.pipeline.descriptor.parsing import with_flow_input
from ..local.pipeline.engine.engine import PipelineEngine
from ..local.pipeline.run.actions import Outcome, PipelineFailed, PipelineStopped, Succeeded
from ..local.pipeline.show.lines import PipelineLines, failure_of
from ..local.pipeline.show.live_table import LiveTable
from ..local.worker.answers import AnswerTable, load_answers
from ..local.worker.storage import local_storage
from .json_values import read_object
from .run_view import print_json

FAILED, INTERRUPTED = 1, 130
BESIDE = "algorithms"
"""Folder beside the descriptor that is taken if no algorithms are named."""


@dataclass(frozen=True)
class PipelineRequest:
    """The options of the command, as they were given.

    Attributes:
        pipeline: file of the descriptor.
        algorithms: folder or map of algorithms.
        flow_input: JSON, or where it is.
        pipelines: folder of stored pipelines.
        answers: file of replies.
        processes: how many tasks run at once.
        as_json: one object in place of the result.
        storage: `fs` for mode v3.
    """

    pipeline: Path
    algorithms: Path | None
    flow_input: str | None
    pipelines: Path | None
    answers: Path | None
    processes: int | None
    as_json: bool
    storage: str | None = None


def run_pipeline(request: PipelineRequest, started: float) -> int:
    """Run the pipeline; returns the exit code.

    Args:
        request: what to run.
        started: when the command began, in seconds of the monotonic clock.

    Raises:
        WrapperError: it cannot be begun.
        KeyboardInterrupt: Ctrl-C for a second time.
    """
    where = str(request.pipeline)
    given = request.flow_input
    flow_input = read_object("--flow-input", given) if given is not None else None
    pipeline = with_flow_input(read_pipeline(request.pipeline), flow_input, where)
    stored = load_pipelines(request.pipelines)
    answers = load_answers(request.answers) if request.answers else AnswerTable()
    with (
        _algorithms(request.algorithms, request.pipeline) as algorithms,
        local_storage(request.storage, os.environ) as storage,
    ):
        at_hand = AtHand(algorithms, os.environ, stored, answers, storage)
        check_algorithms(pipeline, where, algorithms, at_hand.scripted)
        return _run(request, pipeline, at_hand, started)


def _run(request: PipelineRequest, pipeline: Pipeline, at_hand: AtHand, started: float) -> int:
    with _view(request.as_json, started) as view, _engine(request, at_hand, view) as engine:
        for remark in _remarks(pipeline, at_hand):
            view.say(f"warning: {remark}")
        try:
            outcome = engine.run(pipeline)
        except KeyboardInterrupt:
            view.say("stopping; Ctrl-C again ends at once")
            engine.stop("Ctrl-C")
            return INTERRUPTED
    if request.as_json:
        print_json(_summary(outcome, time.monotonic() - started), sys.stdout)
    elif isinstance(outcome, Succeeded):
        print_json(outcome.results, sys.stdout)
    return 0 if isinstance(outcome, Succeeded) else FAILED


def _remarks(pipeline: Pipeline, at_hand: AtHand) -> Iterator[str]:
    """What cannot be had of the algorithms on this machine."""
    for name in dict.fromkeys(node.algorithm for node in pipeline.nodes):
        if name not in at_hand.scripted:
            for remark in at_hand.algorithms.source(name).remarks:
                yield f"{name}: {remark}"


@contextmanager
def _engine(
    request: PipelineRequest, at_hand: AtHand, view: PipelineLines | LiveTable
) -> Iterator[PipelineEngine]:
    engine = PipelineEngine(at_hand, view, request.processes)
    try:
        with engine:
            yield engine
    finally:
        engine.kill()  # should a Ctrl-C have come in the middle of the engine's own end


@contextmanager
def _view(is_quiet: bool, started: float) -> Iterator[PipelineLines | LiveTable]:
    """What shows the run: a table on a terminal, lines elsewhere."""
    console = Console(stderr=True, highlight=False)
    if is_quiet or not console.is_terminal or console.is_dumb_terminal:
        yield PipelineLines(_write_line, started, brief=is_quiet)
    else:
        with LiveTable(console, started) as table:
            yield table


def _write_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _summary(outcome: Outcome, seconds: float) -> dict[str, Any]:
    facts = {"status": "completed", "result": None, "error": None, "seconds": round(seconds, 3)}
    match outcome:
        case Succeeded():
            return facts | {"result": outcome.results}
        case PipelineFailed():
            return facts | {"status": "failed", "error": failure_of(outcome)}
        case PipelineStopped():
            return facts | {"status": "stopped", "error": outcome.reason}


def _algorithms(given: Path | None, pipeline: Path) -> Algorithms:
    if given is None:
        given = pipeline.parent / BESIDE
        if not given.is_dir():
            return Algorithms({}, "--algorithms names a folder or a map of them")
    return Algorithms(find_algorithms(given), str(given))
