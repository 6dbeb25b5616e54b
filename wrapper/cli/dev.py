"""`hkube-wrapper dev`: a page in the browser on which an algorithm is run and watched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .errors import CommandExit, command_errors
from .options import AlgorithmPath, Answers, Pipelines, Storage

EDITOR = "vscode://file/{file}:{line}"


def dev(
    path: AlgorithmPath = ".",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="N",
            help="Port of the page, on 127.0.0.1. Default: 8421, or a free one if it is in use.",
            show_default=False,
        ),
    ] = None,
    no_open: Annotated[
        bool, typer.Option("--no-open", metavar="", help="Do not open a browser.")
    ] = False,
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
    storage: Storage = None,
    history: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the newest 1,000 runs are kept. Default: .hkube/history.sqlite beside the "
            "code.",
            show_default=False,
        ),
    ] = None,
    editor: Annotated[
        str,
        typer.Option(
            metavar="LINK",
            envvar="HKUBE_DEV_EDITOR",
            help="The link that opens a line of code in your editor; {file} and {line} are "
            "replaced.",
        ),
    ] = EDITOR,
) -> None:
    """Open a page on which an algorithm is run, watched and run again, until Ctrl-C.

    The algorithm stays loaded, in the same processes as in its container. A save loads it again.

    Exit codes: 0 after Ctrl-C; 1 the page cannot be served; 2 wrong usage.
    """
    with command_errors():
        from .dev_server import DevRequest, serve_dev

        code = serve_dev(
            DevRequest(
                path=path,
                port=port,
                opens_browser=not no_open,
                algorithms=algorithms,
                pipelines=pipelines,
                answers=answers,
                storage=storage and storage.value,
                history=history,
                editor=editor,
            )
        )
    raise CommandExit(code)
