"""`hkube-wrapper pipeline`: runs, checks and draws pipelines without a cluster."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from .errors import command_errors
from .options import Answers, Environment, Metrics, Output, Pipelines, Quiet, Storage

STREAMING = "Streaming pipelines"

app = typer.Typer(
    name="pipeline",
    help="Try whole pipelines without a cluster.",
    no_args_is_help=True,
)

Descriptor = Annotated[
    Path,
    typer.Argument(
        metavar="PIPELINE",
        help="The pipeline's descriptor, as for a raw run in HKube: a JSON or YAML file.",
        show_default=False,
    ),
]
AlgorithmsFolder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|MAP",
        help="A folder that contains a folder, a .py file or an algorithm.yml for each "
        "algorithm; or a YAML or JSON file that maps names to paths. Default: the folder "
        "'algorithms' beside the descriptor.",
        show_default=False,
    ),
]
FlowInput = Annotated[
    str | None,
    typer.Option(
        metavar="JSON|@FILE|-",
        help="The flow input, which replaces the descriptor's: JSON, a file, or - for stdin.",
        show_default=False,
    ),
]


@app.command()
def run(
    pipeline: Descriptor,
    algorithms: AlgorithmsFolder = None,
    flow_input: FlowInput = None,
    pipelines: Pipelines = None,
    answers: Answers = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=256,
            metavar="N",
            help="How many tasks run at once; of a streaming pipeline, how many pods a stateless "
            "node may have. Default: the number of CPUs, but at least 4.",
            show_default=False,
        ),
    ] = None,
    output: Output = None,
    quiet: Quiet = False,
    env: Environment = None,
    metrics: Metrics = None,
    storage: Storage = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            metavar="",
            help="Print one object with status, result, error and seconds on stdout, and no table. "
            "Of a streaming pipeline: an object with node and message for each message.",
        ),
    ] = False,
    feed: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-",
            help="Send each line of a file, or of stdin, as a message. Lines are JSON. "
            "They take the place of the entry node's own messages.",
            rich_help_panel=STREAMING,
            show_default=False,
        ),
    ] = None,
    feed_node: Annotated[
        str | None,
        typer.Option(
            metavar="NODE",
            help="The entry node or gateway for --feed, if there are several.",
            rich_help_panel=STREAMING,
            show_default=False,
        ),
    ] = None,
    feed_flow: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The flow of the messages of --feed. Default: the default flow.",
            rich_help_panel=STREAMING,
            show_default=False,
        ),
    ] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="End after so many seconds, once all messages are handled.",
            rich_help_panel=STREAMING,
            show_default=False,
        ),
    ] = None,
    messages: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="End after the last nodes have handled so many messages.",
            rich_help_panel=STREAMING,
            show_default=False,
        ),
    ] = None,
    drain: Annotated[
        bool,
        typer.Option(
            "--drain",
            metavar="",
            help="When a stateful node ends, let the others handle what waits. HKube "
            "stops them at once.",
            rich_help_panel=STREAMING,
        ),
    ] = False,
    port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="The HTTP port of the first gateway; 0 takes a free one.",
            rich_help_panel=STREAMING,
        ),
    ] = 0,
) -> None:
    """Run a pipeline. Prints its result as JSON on stdout, and everything else on stderr.

    A streaming pipeline prints a line for each message that its stateless last nodes return.

    It runs until a stateful node ends. Ctrl-C ends it once all messages are handled.

    Exit codes: 0 success; 1 the pipeline failed; 2 wrong usage; 130 interrupted by Ctrl-C.
    """
    started = time.monotonic()
    from .environment_options import read_variables
    from .run_pipeline import run_pipeline
    from .stream_doors import StreamRequest

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
            output=output,
            quiet=quiet,
            variables=read_variables(env),
            metrics=metrics,
            storage=storage and storage.value,
            stream=StreamRequest(feed, feed_node, feed_flow, duration, messages, drain, port),
        )
    raise typer.Exit(code)


@app.command()
def check(
    pipeline: Descriptor,
    algorithms: AlgorithmsFolder = None,
    flow_input: FlowInput = None,
    pipelines: Pipelines = None,
    answers: Answers = None,
) -> None:
    """Check a pipeline, its algorithms and the stored pipelines, without running anything.

    Exit codes: 0 fine; 1 an algorithm or a stored pipeline is wrong; 2 the descriptor is wrong.
    """
    from .run_pipeline import check_pipeline

    with command_errors():
        code = check_pipeline(pipeline, algorithms, flow_input, pipelines, answers)
    raise typer.Exit(code)


@app.command()
def graph(
    pipeline: Descriptor,
    mermaid: Annotated[
        bool, typer.Option("--mermaid", metavar="", help="Print a Mermaid diagram for Markdown.")
    ] = False,
) -> None:
    """Print which node waits for which.

    Exit codes: 0 printed; 2 the descriptor is wrong.
    """
    from ..local.pipeline.catalog.stored_pipelines import read_pipeline
    from ..local.pipeline.descriptor.drawing import as_lines, as_mermaid

    with command_errors():
        draw = as_mermaid if mermaid else as_lines
        for line in draw(read_pipeline(pipeline)):
            print(line)
