"""The command-line application: registers the commands and handles the shared options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from .. import __version__
from .apply import apply
from .build import build
from .check import check
from .dev import dev
from .errors import INTERRUPTED, command_errors, exit_code_of, say_error
from .execute import app as exec_app
from .health import health
from .init import init
from .pipeline import app as pipeline_app
from .project_options import project_options
from .run import run
from .serve import serve
from .std_streams import fill_closed_streams
from .usage import WRONG_USAGE, explained, show_usage_error
from .worker import worker

PROGRAM = "hkube-wrapper"

_HELP = {"-h", "--help"}

app = typer.Typer(
    name=PROGRAM,
    help="Try, test and package HKube algorithms without a cluster, then run them on one.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": sorted(_HELP)},
)
app.command()(run)
app.command()(dev)
app.command()(check)
app.command()(init)
app.command()(build)
app.add_typer(pipeline_app)
app.command()(apply)
app.add_typer(exec_app)
app.command()(worker)
app.command()(serve)
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
            "--version",
            "-V",
            metavar="",
            callback=_show_version,
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
) -> None:
    """Handle the options that come before the command's name."""


def run_app(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code, which is 2 for wrong usage."""
    fill_closed_streams()
    wants_json = "--json" in arguments

    def run_command() -> Any:
        defaults = {}
        if arguments and not arguments[0].startswith("-") and _HELP.isdisjoint(arguments):
            with command_errors():
                defaults = project_options(typer.main.get_command(app))
        return app(
            args=list(arguments), prog_name=PROGRAM, standalone_mode=False, default_map=defaults
        )

    try:
        return exit_code_of(run_command, wants_json)
    except typer.Abort:
        return INTERRUPTED
    except WRONG_USAGE as error:
        return _wrong_usage(error, arguments, wants_json)


def _wrong_usage(error: Any, arguments: Sequence[str], wants_json: bool) -> int:
    context = getattr(error, "ctx", None)
    commands = getattr(getattr(context, "command", None), "commands", {})
    if not error.message:  # a group without a command: its help is the message
        error.show()
    else:
        error.message = explained(error.message, arguments, commands)
        if wants_json:
            say_error("UsageError", error.format_message(), as_json=True)
        else:
            show_usage_error(error)
    return int(error.exit_code)
