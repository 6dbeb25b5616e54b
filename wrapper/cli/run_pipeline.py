"""Runs `hkube-wrapper pipeline run`, once its options are parsed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from ..errors import WrapperError
from ..local.pipeline.catalog.algorithms import Algorithms, check_algorithms, find_algorithms
from ..local.pipeline.catalog.named_calls import check_named_calls
from ..local.pipeline.catalog.resources import Resources
from ..local.pipeline.catalog.stored_pipelines import (
    UnusablePipeline,
    load_pipelines,
    read_descriptor,
    read_pipeline,
)
from ..local.pipeline.descriptor.descriptor import Pipeline
from ..local.pipeline.descriptor.fields import DescriptorError
from ..local.pipeline.descriptor.parsing import parse_pipeline, with_flow_input
from ..local.pipeline.descriptor.remarks import descriptor_remarks
from ..local.pipeline.descriptor.stream_parsing import is_stream
from ..local.pipeline.engine.engine import PipelineEngine
from ..local.pipeline.engine.open_calls import calls_of
from ..local.pipeline.run.actions import PipelineFailed, PipelineStopped, RunOutcome, Succeeded
from ..local.pipeline.show.lines import MARK, PipelineLines, failure_of
from ..local.pipeline.show.live_table import LiveTable
from ..local.pipeline.show.notes import PipelineView, WithNotes
from ..local.run.encoding_check import check_encoding
from ..local.run.metrics_folder import metrics_folder
from ..local.source.source import AlgorithmSource
from ..local.worker.answers import Answers, AnswerTable, load_answers
from ..local.worker.storage import local_storage
from .json_values import UsageError, read_object
from .results import check_output, print_json, print_result, write_result
from .run_stream import run_stream
from .stream_doors import StreamRequest

FAILED, INTERRUPTED = 1, 130
DEFAULT_FOLDER = "algorithms"
"""Folder beside the descriptor that is used without --algorithms."""
DEFAULT_PIPELINES = "pipelines"
"""Folder beside the descriptor that is used without --pipelines."""


def run_pipeline(
    file: Path,
    started: float,
    *,
    algorithms: Path | None,
    flow_input: str | None,
    pipelines: Path | None,
    answers: Path | None,
    processes: int | None,
    as_json: bool,
    output: Path | None,
    quiet: bool,
    variables: Mapping[str, str],
    metrics: Path | None,
    storage: str | None,
    stream: StreamRequest,
) -> int:
    """Run a pipeline and print its result; returns the exit code.

    Args:
        file: the pipeline's descriptor.
        started: when the command began, in seconds of the monotonic clock.
        algorithms: a folder of algorithms, or a map file.
        flow_input: the flow input as JSON, or where to read it.
        pipelines: a folder of stored pipelines.
        answers: a file of replies.
        processes: how many tasks run at once.
        as_json: print one object that includes the status, in place of the result.
        output: a file for the results.
        quiet: show only what algorithms write, warnings and errors.
        variables: environment variables of the algorithms, which override all others.
        metrics: a folder for TensorBoard files.
        storage: `fs` for mode v3.
        stream: the options that only streaming pipelines have.

    Raises:
        WrapperError: the pipeline cannot be started.
        KeyboardInterrupt: Ctrl-C was pressed twice.
    """
    given = read_object("--flow-input", flow_input) if flow_input is not None else None
    replies = load_answers(answers) if answers else AnswerTable()
    document = read_descriptor(file)
    stored = load_pipelines(_pipelines_folder(pipelines, file))
    check_output(output)
    environment = {**os.environ, **variables}
    if is_stream(document):
        if output is not None:
            raise UsageError("--output is not for streaming pipelines: redirect stdout to a file")
        with _algorithms(algorithms, file, variables) as found:

            def make_calls(name: str, lines: PipelineLines) -> AbstractContextManager[Answers]:
                return calls_of(name, found, stored, replies, environment, lines)

            return run_stream(
                document,
                file,
                started,
                found,
                stream,
                flow_input=given,
                make_calls=make_calls,
                processes=processes,
                as_json=as_json,
                quiet=quiet,
                metrics=metrics,
            )
    if stream.names:
        raise UsageError(f"{stream.names[0]} is for streaming pipelines (kind: stream) only")
    parsed = parse_pipeline(document, str(file), name=file.stem)
    pipeline = with_flow_input(parsed, given, str(file))
    with (
        _algorithms(algorithms, file, variables) as found,
        local_storage(storage, environment) as opened,
        metrics_folder(pipeline.name, environment, _say, metrics) as environ,
    ):
        resources = Resources(found, environ, stored, replies, opened)
        check_algorithms(pipeline, str(file), found, resources.scripted)
        check_named_calls([node.algorithm for node in pipeline.nodes], resources)
        for name in {node.algorithm for node in pipeline.nodes} - set(resources.scripted):
            check_encoding(found.source(name), environ)

        def source_of(name: str) -> AlgorithmSource | None:
            return None if name in resources.scripted else found.source(name)

        with _view(as_json, quiet, started) as view:
            outcome = _run(pipeline, resources, processes, WithNotes(view, source_of))
        if outcome is None:
            return INTERRUPTED
        if output is not None and isinstance(outcome, Succeeded):
            write_result(outcome.results, output, _say)
        if as_json:
            print_json(_summary(outcome, time.monotonic() - started), sys.stdout)
        elif output is None and isinstance(outcome, Succeeded):
            print_result(outcome.results, sys.stdout, _say)
    return 0 if isinstance(outcome, Succeeded) else FAILED


def _run(
    pipeline: Pipeline, resources: Resources, processes: int | None, view: PipelineView
) -> RunOutcome | None:
    """Run a pipeline and return its outcome; None after Ctrl-C."""
    engine = PipelineEngine(resources, view, processes)
    try:
        with engine:
            for remark in _remarks(pipeline, resources):
                view.say(f"warning: {remark}")
            try:
                return engine.run(pipeline)
            except KeyboardInterrupt:
                view.say("stopping; Ctrl-C again ends at once")
                engine.stop("Ctrl-C")
                return None
    finally:
        engine.kill()  # in case Ctrl-C interrupted the engine's own exit


def _remarks(pipeline: Pipeline, resources: Resources) -> Iterator[str]:
    """Yield the remarks about a pipeline and its algorithms."""
    yield from descriptor_remarks(pipeline)
    for name in dict.fromkeys(node.algorithm for node in pipeline.nodes):
        if name not in resources.scripted:
            for remark in resources.algorithms.source(name).remarks:
                yield f"{name}: {remark}"


@contextmanager
def _view(as_json: bool, quiet: bool, started: float) -> Iterator[PipelineView]:
    """Show the run: as a table on a terminal, as lines elsewhere."""
    console = Console(stderr=True, highlight=False)
    if as_json or quiet or not console.is_terminal or console.is_dumb_terminal:
        yield PipelineLines(_write_line, started, brief=as_json, quiet=quiet)
    else:
        with LiveTable(console, started) as table:
            yield table


def _write_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    _write_line(f"{MARK} {text}")


def _summary(outcome: RunOutcome, seconds: float) -> dict[str, Any]:
    facts = {"status": "completed", "result": None, "error": None, "seconds": round(seconds, 3)}
    match outcome:
        case Succeeded():
            return facts | {"result": outcome.results}
        case PipelineFailed():
            return facts | {"status": "failed", "error": failure_of(outcome)}
        case PipelineStopped():
            return facts | {"status": "stopped", "error": outcome.reason}


def check_pipeline(
    file: Path,
    algorithms: Path | None,
    flow_input: str | None,
    pipelines: Path | None,
    answers: Path | None,
) -> int:
    """Check a pipeline and the stored pipelines without running anything; returns the exit code.

    Raises:
        WrapperError: something is wrong with it; the message says what.
    """
    given = read_object("--flow-input", flow_input) if flow_input is not None else None
    replies = load_answers(answers) if answers else AnswerTable()
    pipeline = with_flow_input(read_pipeline(file), given, str(file))
    stored = load_pipelines(_pipelines_folder(pipelines, file))
    problems: list[str] = []
    with _algorithms(algorithms, file) as found:
        resources = Resources(found, os.environ, stored, replies)
        for where, each in ((str(file), pipeline), *stored.items()):
            try:
                if isinstance(each, UnusablePipeline):
                    raise DescriptorError(each.reason)
                check_algorithms(each, where, found, resources.scripted)
            except WrapperError as error:
                problems.append(str(error))
        try:
            check_named_calls([node.algorithm for node in pipeline.nodes], resources)
        except WrapperError as error:
            problems += str(error).split("\n")
        for remark in _remarks(pipeline, resources) if not problems else ():
            print(f"note: {remark}", file=sys.stderr)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    if not problems:
        print(f"fine: {pipeline.name}, {len(pipeline.nodes)} nodes, {len(stored)} stored pipelines")
    return FAILED if problems else 0


def _pipelines_folder(given: Path | None, pipeline: Path) -> Path | None:
    beside = pipeline.parent / DEFAULT_PIPELINES
    return beside if given is None and beside.is_dir() else given


def _algorithms(
    given: Path | None, pipeline: Path, variables: Mapping[str, str] | None = None
) -> Algorithms:
    if given is None:
        given = pipeline.parent / DEFAULT_FOLDER
        if not given.is_dir():
            return Algorithms({}, "give a folder or a map file of them with --algorithms")
    return Algorithms(find_algorithms(given), str(given), variables)
