"""`hkube-wrapper pipeline run`: runs a pipeline on this machine, without a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .errors import command_errors
from .options import Answers, Pipelines, Storage

app = typer.Typer(
    name="pipeline",
    help="Try whole pipelines without a cluster.",
    no_args_is_help=True,
)


@app.command()
def run(
    pipeline: Annotated[
        Path,
        typer.Argument(
            metavar="PIPELINE",
            help="The pipeline's descriptor, as for a raw run in HKube: a JSON or YAML file.",
            show_default=False,
        ),
    ],
    algorithms: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|MAP",
            help="A folder that contains a folder, a .py file or an algorithm.yml for each "
            "algorithm; or a YAML or JSON file that maps names to paths. Default: the folder "
            "'algorithms' beside the descriptor.",
            show_default=False,
        ),
    ] = None,
    flow_input: Annotated[
        str | None,
        typer.Option(
            metavar="JSON|@FILE|-",
            help="The flow input, which replaces the descriptor's: JSON, a file, or - for stdin.",
            show_default=False,
        ),
    ] = None,
    pipelines: Pipelines = None,
    answers: Answers = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            metavar="N",
            help="How many tasks run at once. Default: the number of CPUs, but at least 4.",
            show_default=False,
        ),
    ] = None,
    storage: Storage = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            metavar="",
            help="Print one object with status, result, error and seconds on stdout, and no table.",
        ),
    ] = False,
) -> None:
    """Run a pipeline. Prints its result as JSON on stdout, and everything else on stderr.

    Exit codes: 0 success; 1 the pipeline failed; 2 wrong usage; 130 interrupted by Ctrl-C.
    """
    started = time.monotonic()
    from .run_pipeline import run_pipeline

    with command_errors():
        code = run_pipeline(
            pipeline,
            started,
            algorithms=algorithms,
            flow_input=flow_input,
            pipelines=pipelines,
            answers=answers,
            processes=processes,
            as_json=as_json,
            storage=storage and storage.value,
        )
    raise typer.Exit(code)
