"""`hkube-wrapper pipeline run`: runs a pipeline on this machine, with no cluster."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ..errors import WrapperError
from ..local.answers import AnswerTable, load_answers
from ..local.pipeline.actions import Failed, Outcome, Stopped, Succeeded
from ..local.pipeline.catalog import (
    Algorithms,
    check_algorithms,
    find_algorithms,
    load_pipelines,
    read_pipeline,
)
from ..local.pipeline.descriptor import Pipeline
from ..local.pipeline.lines import Lines, failure_of
from ..local.pipeline.parsing import with_flow_input
from .show import as_json as as_json_text
from .values import read_object

if TYPE_CHECKING:
    from ..local.pipeline.engine import AtHand
    from ..local.pipeline.events import Listener

FAILED, USAGE, INTERRUPTED = 1, 2, 130
BESIDE = "algorithms"
"""Folder beside the descriptor that is taken if no algorithms are named."""

app = typer.Typer(
    name="pipeline",
    help="Try whole pipelines with no cluster.",
    no_args_is_help=True,
)


@app.command()
def run(
    pipeline: Annotated[
        Path,
        typer.Argument(
            metavar="PIPELINE",
            help="The descriptor as HKube takes it for a raw run: a JSON or YAML file.",
            show_default=False,
        ),
    ],
    algorithms: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|MAP",
            help="A folder with a folder, a .py file or an algorithm.yml for each algorithm; or a "
            "YAML or JSON file that maps their names to paths. Otherwise the folder 'algorithms' "
            "beside the descriptor, if there is one.",
            show_default=False,
        ),
    ] = None,
    flow_input: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|@FILE|-",
            help="The flow input, in place of that in the descriptor: as JSON, in a file, or on "
            "stdin.",
            show_default=False,
        ),
    ] = None,
    pipelines: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="A folder of stored pipelines, which algorithms may start by name.",
            show_default=False,
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON file of replies in place of algorithms and stored pipelines: "
            '{"algorithms": {"NAME": {"result": …}}, "pipelines": …, "dataSources": …}.',
            show_default=False,
        ),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            metavar="N",
            help="How many tasks run at once: as many as there are CPUs, and 4 at least.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="On stdout one object with status, result, error and seconds; no table.",
        ),
    ] = False,
) -> None:
    """Run a pipeline: the result as HKube has it, as JSON on stdout, everything else on stderr.

    Exit codes: 0 done; 1 the pipeline failed; 2 wrong usage; 130 ended by Ctrl-C.
    """
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        given = read_object("--flow-input", flow_input) if flow_input is not None else None
        described = with_flow_input(read_pipeline(pipeline), given, str(pipeline))
        found = _algorithms(algorithms, pipeline)
        stored = load_pipelines(pipelines)
        table = load_answers(answers) if answers else AnswerTable()
        from ..local.pipeline.engine import AtHand  # here: --help need not import websockets

        with found:
            at_hand = AtHand(found, os.environ, stored, table)
            check_algorithms(described, str(pipeline), found, at_hand.scripted)
            code = _run(described, at_hand, processes, as_json, started)
    except WrapperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:  # the second one; what was started is ended by now
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


def _run(
    pipeline: Pipeline, at_hand: AtHand, processes: int | None, as_json: bool, started: float
) -> int:
    from ..local.pipeline.engine import Engine

    with _view(as_json, started) as listener, Engine(at_hand, listener, processes) as engine:
        try:
            outcome = engine.run(pipeline)
        except KeyboardInterrupt:
            print("[local] stopping; Ctrl-C again ends at once", file=sys.stderr)
            engine.stop("Ctrl-C")
            return INTERRUPTED
    if as_json:
        print(as_json_text(_summary(outcome, time.monotonic() - started)))
    elif isinstance(outcome, Succeeded):
        print(as_json_text(outcome.results))
    return 0 if isinstance(outcome, Succeeded) else FAILED


@contextmanager
def _view(as_json: bool, started: float) -> Iterator[Listener]:
    """What shows the run: a table on a terminal, lines elsewhere."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if as_json or not console.is_terminal or console.is_dumb_terminal:
        yield Lines(_write_line, started, brief=as_json)
    else:
        from .pipeline_table import LiveTable

        with LiveTable(console, started) as table:
            yield table


def _write_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _summary(outcome: Outcome, seconds: float) -> dict[str, Any]:
    facts = {"status": "completed", "result": None, "error": None, "seconds": round(seconds, 3)}
    match outcome:
        case Succeeded():
            return facts | {"result": outcome.results}
        case Failed():
            return facts | {"status": "failed", "error": failure_of(outcome)}
        case Stopped():
            return facts | {"status": "stopped", "error": outcome.reason}


def _algorithms(given: Path | None, pipeline: Path) -> Algorithms:
    if given is None:
        given = pipeline.parent / BESIDE
        if not given.is_dir():
            return Algorithms({}, "--algorithms names a folder or a map of them")
    return Algorithms(find_algorithms(given), str(given))


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
