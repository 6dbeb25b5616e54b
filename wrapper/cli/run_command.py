"""Runs what `hkube-wrapper run` was asked for, whoever has read its options."""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NoReturn

from .errors import CommandExit, command_errors, exit_code_of, no_waiting_for_threads
from .run_options import RunOptions
from .std_streams import fill_closed_streams


def run_without_typer(options: RunOptions) -> int:
    """Run the command and return its exit code; does for `run` what `app.run_app` does for all."""
    fill_closed_streams()
    return exit_code_of(lambda: run_algorithm(options), options.as_json)


def run_algorithm(options: RunOptions) -> NoReturn:
    """Run an algorithm.

    Raises:
        CommandExit: always, with the exit code of the command.
    """
    started = time.monotonic()
    from ..local.worker.answers import AnswerTable, load_answers
    from .environment_options import read_variables
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

    flow_input, extra_data = options.flow_input, options.extra_data
    answers, feed, message = options.answers, options.feed, options.message
    output = options.output

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
            for _ in range(options.repeat)
        ]
        if output is not None and len(tasks) != 1:
            raise UsageError(f"--output takes the result of one task, but these are {len(tasks)}")
        return RunRequest(
            path=options.path,
            tasks=tasks,
            files=files,
            extra_data={} if extra_data is None else read_object("--extra-data", extra_data),
            algorithms=options.algorithms,
            pipelines=options.pipelines,
            answers=load_answers(answers) if answers else AnswerTable(),
            timeout=options.timeout,
            as_json=options.as_json,
            in_process=options.in_process,
            port=options.port,
            storage=options.storage,
            watch_also=options.watch_also or (),
            output=output and Path(os.path.abspath(output)),
            quiet=options.quiet,
            variables=read_variables(options.env),
            metrics=options.metrics,
        )

    texts = options.inputs or ["[]"]
    feeds = () if feed is None else ("-",) if feed == "-" else (f"@{feed}",)
    others = (*texts, *(message or ()), flow_input, extra_data)
    given = [text for text in (*others, *feeds) if text is not None]
    with no_waiting_for_threads() if options.in_process else nullcontext():
        with command_errors():
            files = [*files_of(given), *([answers] if answers else [])]
            if options.watch_also and not options.watch:
                raise UsageError("--watch-also needs --watch")
            _check_together(options, given)
            code = (
                run_watching(read_request, started)
                if options.watch
                else run_once(read_request(), started)
            )
        raise CommandExit(code)


def _check_together(options: RunOptions, given: list[str]) -> None:
    from .json_values import UsageError

    if options.watch and options.in_process:
        raise UsageError(
            "--watch and --in-process cannot be combined: a process cannot load changed code again"
        )
    if options.watch and "-" in given:
        raise UsageError(
            "--watch runs the tasks again after each save, but '-' (stdin) can be read only once"
        )
    if options.timeout is not None and not options.timeout > 0:
        raise UsageError(f"--timeout must be more than 0 seconds, not {options.timeout:g}")
