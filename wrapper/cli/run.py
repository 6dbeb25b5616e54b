"""`hkube-wrapper run`: run an algorithm on this machine, without a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import (
    AlgorithmPath,
    Answers,
    Environment,
    Metrics,
    Output,
    Pipelines,
    Quiet,
    Storage,
)
from .run_command import run_algorithm
from .run_options import RunOptions


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
    quiet: Quiet = False,
    env: Environment = None,
    metrics: Metrics = None,
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
    run_algorithm(
        RunOptions(
            path=path,
            inputs=inputs,
            message=message,
            feed=feed,
            flow_input=flow_input,
            extra_data=extra_data,
            algorithms=algorithms,
            pipelines=pipelines,
            answers=answers,
            watch=watch,
            watch_also=watch_also,
            repeat=repeat,
            timeout=timeout,
            as_json=as_json,
            output=output,
            quiet=quiet,
            env=env,
            metrics=metrics,
            storage=storage and storage.value,
            in_process=in_process,
            port=port,
        )
    )
