"""`hkube-wrapper pipeline run`: runs a pipeline on this machine, with no cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .errors import command_errors
from .options import Answers, Pipelines, Storage

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
    pipelines: Pipelines = None,
    answers: Answers = None,
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
    storage: Storage = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            metavar="",
            help="On stdout one object with status, result, error and seconds; no table.",
        ),
    ] = False,
) -> None:
    """Run a pipeline: the result as HKube has it, as JSON on stdout, everything else on stderr.

    Exit codes: 0 done; 1 the pipeline failed; 2 wrong usage; 130 ended by Ctrl-C.
    """
    started = time.monotonic()
    from .run_pipeline import PipelineRequest, run_pipeline

    kind = storage and storage.value
    with command_errors():
        request = PipelineRequest(
            pipeline, algorithms, flow_input, pipelines, answers, processes, as_json, kind
        )
        code = run_pipeline(request, started)
    raise typer.Exit(code)
