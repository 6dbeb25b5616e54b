"""`python -m wrapper.local PATH`: runs an algorithm on this machine, with no cluster."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from . import events
from .answers import AnswersError, AnswerTable, load_answers
from .job import make_job
from .process import AlgorithmContainer, Entry, EntryError, find_entry
from .terminal import Terminal

if TYPE_CHECKING:
    from .worker import Worker

FAILED, USAGE, INTERRUPTED = 1, 2, 130
STOP_TIMEOUT = 10.0
"""Seconds that HKube's worker waits for `stopped`."""
CRASH_TIMEOUT = 5.0
"""Seconds from a lost connection to the end of a process that has crashed."""
EXIT_TIMEOUT = 20.0
"""Seconds that HKube's worker waits after `exit`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    started = time.monotonic()
    options = _parser().parse_args(arguments)
    try:
        entry = find_entry(options.path)
        answers = load_answers(options.answers) if options.answers else AnswerTable()
    except (EntryError, AnswersError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _run(entry, options, answers, started)
    except KeyboardInterrupt:  # the second one; what was started is ended by now
        return INTERRUPTED


def _run(entry: Entry, options: argparse.Namespace, answers: AnswerTable, started: float) -> int:
    from .worker import Worker  # here, so that --help need not import websockets

    terminal = Terminal(sys.stderr, started)
    inputs = options.input or [[]]
    with (
        Worker(terminal, answers) as worker,
        AlgorithmContainer(entry, worker.port, os.environ) as container,
    ):
        container.on_exit(lambda code: worker.give_up(f"the process ended with exit code {code}"))
        try:
            for task_input in inputs:
                ended = worker.run(make_job(task_input, algorithm_name=entry.folder.name))
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m wrapper.local",
        description="Run an algorithm with no cluster: the result as JSON on stdout, "
        "everything else on stderr.",
        epilog="Exit codes: 0 done; 1 the algorithm failed; 2 wrong usage; 128 + n if the process "
        "was ended by signal n.",
    )
    parser.add_argument("path", type=Path, help="a Python file, or a folder with a main.py")
    parser.add_argument(
        "--input",
        action="append",
        type=_json_array,
        metavar="JSON",
        help="the node's inputs as a JSON array, which the algorithm finds in args['input']; "
        "given again: one more task for the same process",
    )
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="JSON file of replies to the algorithm's calls: "
        '{"algorithms": {"NAME": {"result": …}}, "pipelines": …, "dataSources": …}',
    )
    return parser


def _json_array(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not valid JSON: {error}") from error
    if not isinstance(value, list):
        raise argparse.ArgumentTypeError(
            "must be a JSON array, as HKube gives a node its inputs: "
            f"perhaps '[{json.dumps(value, ensure_ascii=False)}]'"
        )
    return value


def _terminated(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    raise SystemExit(main())
