"""Runs `hkube-wrapper pipeline run` of a streaming pipeline, once its options are parsed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from ..local.pipeline.catalog.algorithms import Algorithms
from ..local.pipeline.descriptor.fields import DescriptorError
from ..local.pipeline.descriptor.stream import StreamPipeline
from ..local.pipeline.descriptor.stream_parsing import StateTypeOf, parse_stream, with_stream_input
from ..local.pipeline.show.lines import PipelineLines
from ..local.pipeline.show.stream_lines import StreamLines
from ..local.pipeline.show.stream_table import StreamTable
from ..local.pipeline.streaming.actions import EndStream
from ..local.pipeline.streaming.feed import MessageFeed
from ..local.pipeline.streaming.output import OutputReader
from ..local.pipeline.streaming.stream_engine import StreamEngine, StreamLimits, StreamView
from ..local.pipeline.streaming.stream_plan import STATISTICS_INTERVAL, StreamOptions, StreamPlan
from ..local.run.metrics_folder import metrics_folder
from ..local.scratch import ScratchFolder
from ..local.worker.answers import Answers
from ..local.worker.storage import local_storage
from .results import print_json
from .stream_doors import StreamDoors, StreamRequest, fed_node, gateway_ports, open_feed

FAILED, INTERRUPTED = 1, 130

MakeCalls = Callable[[str, PipelineLines], AbstractContextManager[Answers]]
"""Opens what answers calls of algorithms, given the pipeline's name and what shows the runs."""


def run_stream(
    document: Any,
    file: Path,
    started: float,
    algorithms: Algorithms,
    request: StreamRequest,
    *,
    flow_input: Any,
    make_calls: MakeCalls,
    processes: int | None,
    as_json: bool,
    quiet: bool,
    metrics: Path | None = None,
) -> int:
    """Run a streaming pipeline; returns the exit code.

    Args:
        document: the descriptor.
        file: where it is from.
        started: when the command began, in seconds of the monotonic clock.
        algorithms: the algorithms of this machine.
        request: the options that only streaming pipelines have.
        flow_input: the flow input; None for the descriptor's own.
        make_calls: opens what answers the calls of the pipeline's algorithms.
        processes: the maximum number of pods of a stateless node that gives none itself.
        as_json: print the node of each message as well.
        quiet: show only what algorithms write, warnings and errors.
        metrics: a folder for TensorBoard files.

    Raises:
        WrapperError: the pipeline cannot be started.
        KeyboardInterrupt: Ctrl-C was pressed twice.
    """
    where = str(file)
    pipeline = parse_stream(document, where, file.stem, _state_types(algorithms))
    pipeline = with_stream_input(pipeline, flow_input, where)
    fed = fed_node(pipeline, request)
    ports = gateway_ports(pipeline, fed, request.port)
    _check_algorithms(pipeline, where, algorithms, ports)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(ScratchFolder()))
        storage = stack.enter_context(local_storage("fs", os.environ))
        assert storage is not None
        options = StreamOptions(str(scratch / "output"), processes, ports)
        view = stack.enter_context(_view(as_json, quiet, started))
        if not as_json and not quiet:
            view.say(f"pipeline {pipeline.name}")
        for remark in pipeline.remarks:
            view.say(f"warning: {remark}")
        plan = StreamPlan(pipeline, algorithms, options)
        limits = StreamLimits(pipeline.ttl, request.duration, request.messages, request.drains)
        kept = stack.enter_context(metrics_folder(pipeline.name, os.environ, view.say, metrics))
        environ = {"STREAMING_STATISTICS_INTERVAL": str(STATISTICS_INTERVAL), **kept}
        doors = StreamDoors(pipeline, ports, fed, view)
        lines = PipelineLines(view.write, started, brief=True)
        answers = stack.enter_context(make_calls(pipeline.name, lines))
        engine = StreamEngine(plan, limits, view, answers, environ, storage, doors.is_ready)
        if fed is not None:
            fd, name = open_feed(str(request.feed), stack)
            doors.feed = MessageFeed(
                fd, name, ports[fed], request.feed_flow, partial(_feed_ended, engine)
            )
        end = _run(engine, view, Path(options.output))
    if end is None:
        return INTERRUPTED
    return FAILED if end.has_failed else 0


def _run(engine: StreamEngine, view: StreamView, output: Path) -> EndStream | None:
    """Run a pipeline and return how it ended; None after Ctrl-C."""
    try:
        # The reader ends first: the engine still takes what it has read.
        with engine, OutputReader(output, engine.collect):
            try:
                return engine.run()
            except KeyboardInterrupt:
                view.say("handing over what waits, node by node; Ctrl-C again ends at once")
                engine.drain("Ctrl-C")
                engine.run()
                return None
    finally:
        engine.kill()  # in case Ctrl-C interrupted the engine's own exit


def _feed_ended(engine: StreamEngine, why: str | None) -> None:
    engine.drain("--feed has ended" if why is None else why, has_failed=why is not None)


@contextmanager
def _view(as_json: bool, quiet: bool, started: float) -> Iterator[StreamView]:
    """Show the run: as a table on a terminal, as lines elsewhere."""

    def write_message(node: str, message: Any) -> None:
        if as_json:
            print_json({"node": node, "message": message}, sys.stdout)
        elif message is not None:
            print_json(message, sys.stdout)

    console = Console(stderr=True, highlight=False)
    if as_json or quiet or not console.is_terminal or console.is_dumb_terminal:
        yield StreamLines(_write_line, write_message, started, brief=as_json or quiet)
    else:
        with StreamTable(console, write_message, started) as table:
            yield table


def _write_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _check_algorithms(
    pipeline: StreamPipeline, where: str, algorithms: Algorithms, gateways: Collection[str]
) -> None:
    for index, node in enumerate(pipeline.nodes):
        if node.name in gateways:
            continue
        if node.algorithm not in algorithms:
            text = algorithms.missing(node.algorithm)
            raise DescriptorError(f"{where}: nodes[{index}] '{node.name}': {text}")
        algorithms.source(node.algorithm)


def _state_types(algorithms: Algorithms) -> StateTypeOf:
    def state_type_of(name: str) -> str | None:
        return algorithms.source(name).state_type if name in algorithms else None

    return state_type_of
