"""`hkube-wrapper check`: checks whether an algorithm will run in HKube."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from .errors import command_errors
from .options import AlgorithmPath

WRONG = 1
DEFAULT_TIMEOUT = 60.0


def check(
    path: AlgorithmPath = ".",
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for the module to load."),
    ] = DEFAULT_TIMEOUT,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print one JSON object, for programs.")
    ] = False,
) -> None:
    """Check whether an algorithm will run in HKube.

    The algorithm is loaded as in its container. The check covers its functions,
    its imports and requirements.txt, the Python version and the size of its folder.
    What the module prints goes to stderr.

    Exit codes: 0 fine; 1 something is wrong;
    2 wrong usage, or PATH is not an algorithm.
    """
    from rich.console import Console

    from ..local.check.check import check as look_at
    from ..local.check.report_view import as_document, show
    from ..local.source.source import open_algorithm

    with command_errors(), open_algorithm(path, whole=False) as source:
        report = look_at(source, os.environ, timeout)
        if as_json:
            print(json.dumps(as_document(report), indent=2))
        else:
            show(report, Console(highlight=False))
    raise typer.Exit(0 if report.is_fine else WRONG)
