"""The command-line application: registers the commands and handles the shared options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from .. import __version__
from .build import build
from .check import check
from .health import health
from .init import init
from .pipeline import app as pipeline_app
from .run import run
from .std_streams import fill_closed_streams
from .worker import worker

PROGRAM = "hkube-wrapper"

app = typer.Typer(
    name=PROGRAM,
    help="Try, test and package HKube algorithms without a cluster.",
    epilog="Without a command, python -m wrapper connects to HKube's worker, as in a container. "
    "Environment variables configure it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(run)
app.command()(check)
app.command()(init)
app.command()(build)
app.add_typer(pipeline_app)
app.command()(worker)
app.command()(health)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Handle the options that come before the command's name."""


def run_app(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code, which is 2 for wrong usage."""
    fill_closed_streams()
    try:
        app(args=list(arguments), prog_name=PROGRAM)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0
