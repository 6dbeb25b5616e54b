"""`hkube-wrapper run`: runs an algorithm on this machine, with no cluster."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from ..errors import WrapperError
from ..local import events
from ..local.answers import AnswerTable, load_answers
from ..local.container import AlgorithmContainer
from ..local.job import make_job
from ..local.source import AlgorithmSource, open_algorithm
from ..local.terminal import Terminal

if TYPE_CHECKING:
    from ..local.worker import Worker

FAILED, USAGE, INTERRUPTED = 1, 2, 130
STOP_TIMEOUT = 10.0
"""Seconds that HKube's worker waits for `stopped`."""
CRASH_TIMEOUT = 5.0
"""Seconds from a lost connection to the end of a process that has crashed."""
EXIT_TIMEOUT = 20.0
"""Seconds that HKube's worker waits after `exit`."""


def run(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A Python file; a folder with a main.py or an algorithm.yml; pkg.module; "
            "an algorithm.yml or .json; or an archive (.tar.gz, .zip).",
            show_default=False,
        ),
    ],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="JSON",
            help="The node's inputs as a JSON array, which the algorithm finds in args['input']. "
            "Given again: one more task for the same process.",
            show_default=False,
        ),
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="JSON file of replies to the algorithm's calls: "
            '{"algorithms": {"NAME": {"result": …}}, "pipelines": …, "dataSources": …}.',
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run an algorithm: the result as JSON on stdout, everything else on stderr.

    Exit codes: 0 done; 1 the algorithm failed; 2 wrong usage; 128 + n if signal n ended it.
    """
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        table = load_answers(answers) if answers else AnswerTable()
        tasks = [_json_array(text) for text in inputs or ["[]"]]
        with open_algorithm(path) as source:
            code = _run(source, tasks, table, started)
    except WrapperError as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(USAGE) from None
    except KeyboardInterrupt:  # the second one; what was started is ended by now
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


def _run(
    source: AlgorithmSource, inputs: list[list[Any]], answers: AnswerTable, started: float
) -> int:
    from ..local.worker import Worker  # here, so that --help need not import websockets

    terminal = Terminal(sys.stderr, started)
    with (
        Worker(terminal, answers) as worker,
        AlgorithmContainer(source, worker.port, os.environ) as container,
    ):
        container.on_exit(lambda code: worker.give_up(f"the process ended with exit code {code}"))
        try:
            for task_input in inputs:
                ended = worker.run(make_job(task_input, algorithm_name=source.name))
                if isinstance(ended, events.Lost):
                    return _crashed(container)
                if not isinstance(ended, events.Done):
                    break
                print(_as_json(ended.result), flush=True)
            code = _exit(worker, container)
        except KeyboardInterrupt:
            _stop(worker, container)
            return INTERRUPTED
    return code if isinstance(ended, events.Done) else FAILED


def _as_json(result: Any) -> str:
    """Return a result as JSON; what only msgpack and bson have is null (NaN) or text (bytes)."""
    try:
        return json.dumps(result, ensure_ascii=False, default=repr, allow_nan=False)
    except ValueError:
        text = json.dumps(result, ensure_ascii=False, default=repr)
        finite = json.loads(text, parse_constant=lambda name: None)
        return json.dumps(finite, ensure_ascii=False)


def _exit(worker: Worker, container: AlgorithmContainer) -> int:
    worker.exit()
    code = container.wait(timeout=EXIT_TIMEOUT)
    if code is None:
        print("[local] not ended in 20 s: HKube deletes the pod here", file=sys.stderr)
        return FAILED
    if code:
        print(f"[local] the process ended with exit code {code}", file=sys.stderr)
    return code


def _crashed(container: AlgorithmContainer) -> int:
    code = container.wait(timeout=CRASH_TIMEOUT)
    if code is None:
        return FAILED
    print(f"[local] the process ended with exit code {code}", file=sys.stderr)
    return code or FAILED


def _stop(worker: Worker, container: AlgorithmContainer) -> None:
    """Stop as HKube would; a second Ctrl-C ends it at once."""
    print("[local] stopping; Ctrl-C again ends at once", file=sys.stderr)
    worker.stop()
    if worker.wait_idle(timeout=STOP_TIMEOUT):
        _exit(worker, container)
    else:
        print("[local] not stopped in 10 s: HKube ends the container here", file=sys.stderr)


def _json_array(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not valid JSON: {error}") from error
    if not isinstance(value, list):
        raise typer.BadParameter(
            "must be a JSON array, as HKube gives a node its inputs: "
            f"perhaps '[{json.dumps(value, ensure_ascii=False)}]'"
        )
    return value


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)
