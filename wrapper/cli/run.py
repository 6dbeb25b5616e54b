"""`hkube-wrapper run`: run an algorithm on this machine, without a cluster."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import command_errors, no_waiting_for_threads
from .options import AlgorithmPath, Answers, Output, Pipelines, Storage


def run(
    path: AlgorithmPath = ".",
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="JSON|@FILE|-",
            help="The node's inputs as a JSON array; the algorithm reads them from args['input']. "
            "Repeat the option to run several tasks in the same process.",
            show_default=False,
        ),
    ] = None,
    message: Annotated[
        list[str] | None,
        typer.Option(
            "--message",
            metavar="JSON|@FILE|-",
            help="A message for a stateless algorithm of a streaming pipeline, which finds it in "
            "args['streamInput']['message']. Give it again for another message.",
            show_default=False,
        ),
    ] = None,
    feed: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-",
            help="Like --message, with a message on each line of a file or of stdin.",
            show_default=False,
        ),
    ] = None,
    flow_input: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|@FILE|-",
            help="The pipeline's flow input as a JSON object. --input is then read the way HKube "
            'reads a node\'s input: "@flowInput.a" is replaced by its value, and a batch such as '
            '"#[1,2]" or "#@flowInput.list" becomes one task per item.',
            show_default=False,
        ),
    ] = None,
    extra_data: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|@FILE|-",
            help="A JSON object; the algorithm reads it from args['info']['extraData'].",
            show_default=False,
        ),
    ] = None,
    algorithms: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|MAP",
            help="Algorithms that this one may start: a folder that contains a folder, a .py file "
            "or an algorithm.yml for each, or a YAML or JSON file that maps names to paths.",
            show_default=False,
        ),
    ] = None,
    pipelines: Pipelines = None,
    answers: Answers = None,
    watch: Annotated[
        bool, typer.Option("--watch", metavar="", help="Run again after each save, until Ctrl-C.")
    ] = False,
    watch_also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="With --watch: also after a change of files that match, such as '*.csv' or "
            "'data/*'. Leave out files that the algorithm writes. Repeat the option for another "
            "pattern.",
            show_default=False,
        ),
    ] = None,
    repeat: Annotated[
        int, typer.Option(min=1, metavar="N", help="Run each task N times in the same process.")
    ] = 1,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Stop a task that takes longer, as HKube would.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            metavar="",
            help="Print a JSON object for each task instead of its result: algorithm, status, "
            "result, error, exitCode, seconds, progress, spans.",
        ),
    ] = False,
    output: Output = None,
    storage: Storage = None,
    in_process: Annotated[
        bool,
        typer.Option(
            "--in-process",
            metavar="",
            help="Run the algorithm in this process, so that debugger breakpoints work.",
        ),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            min=0, max=65535, metavar="N", help="Port of the local worker; 0 picks a free one."
        ),
    ] = 0,
) -> None:
    """Run an algorithm. The result goes to stdout as JSON, everything else to stderr.

    Exit codes: 0 success; 1 the algorithm failed; 2 wrong usage;
    128 + n signal n killed its process; 130 after Ctrl-C.
    """
    started = time.monotonic()
    from ..local.worker.answers import AnswerTable, load_answers
    from .json_values import (
        UsageError,
        files_of,
        read_array,
        read_json,
        read_lines,
        read_object,
    )
    from .results import check_output
    from .run_request import RunRequest
    from .run_tasks import run_once, run_watching
    from .task_inputs import task_inputs, with_messages

    def read_messages() -> list[Any] | None:
        if message is None and feed is None:
            return None
        values = [read_json("--message", text) for text in message or ()]
        return values + (read_lines("--feed", feed) if feed is not None else [])

    def read_request() -> RunRequest:
        check_output(output)
        flow = None if flow_input is None else read_object("--flow-input", flow_input)
        sent = read_messages()
        tasks = [
            task
            for text in texts
            for task in with_messages(task_inputs(read_array("--input", text), flow), sent)
            for _ in range(repeat)
        ]
        if output is not None and len(tasks) != 1:
            raise UsageError(f"--output takes the result of one task, but these are {len(tasks)}")
        return RunRequest(
            path=path,
            tasks=tasks,
            files=files,
            extra_data={} if extra_data is None else read_object("--extra-data", extra_data),
            algorithms=algorithms,
            pipelines=pipelines,
            answers=load_answers(answers) if answers else AnswerTable(),
            timeout=timeout,
            as_json=as_json,
            in_process=in_process,
            port=port,
            storage=storage and storage.value,
            watch_also=watch_also or (),
            output=output and Path(os.path.abspath(output)),
        )

    texts = inputs or ["[]"]
    feeds = () if feed is None else ("-",) if feed == "-" else (f"@{feed}",)
    others = (*texts, *(message or ()), flow_input, extra_data)
    given = [text for text in (*others, *feeds) if text is not None]
    with no_waiting_for_threads() if in_process else nullcontext():
        with command_errors():
            files = [*files_of(given), *([answers] if answers else [])]
            if watch_also and not watch:
                raise UsageError("--watch-also needs --watch")
            _check_together(given, watch, in_process, timeout)
            code = (
                run_watching(read_request, started) if watch else run_once(read_request(), started)
            )
        raise typer.Exit(code)


def _check_together(given: list[str], watch: bool, in_process: bool, timeout: float | None) -> None:
    from .json_values import UsageError

    if watch and in_process:
        raise UsageError(
            "--watch and --in-process cannot be combined: a process cannot load changed code again"
        )
    if watch and "-" in given:
        raise UsageError(
            "--watch runs the tasks again after each save, but '-' (stdin) can be read only once"
        )
    if timeout is not None and not timeout > 0:
        raise UsageError(f"--timeout must be more than 0 seconds, not {timeout:g}")
