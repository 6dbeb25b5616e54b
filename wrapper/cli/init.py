"""`hkube-wrapper init`: a small working algorithm to begin with."""

from __future__ import annotations

import enum
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..local.init.scaffold import EXAMPLES, scaffold
from .errors import command_errors


class Template(str, enum.Enum):
    """What to begin with."""

    HELLO = "hello"
    MODEL = "model"
    SUBPIPELINE = "subpipeline"


def init(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The algorithm's name, or a path that ends in it: small letters, digits, - and . "
            "The folder is made; nothing is ever overwritten.",
            show_default=False,
        ),
    ],
    template: Annotated[
        Template,
        typer.Option(
            help="hello: a result from an input; model: a model that is loaded once; subpipeline: "
            "calls of other algorithms and pipelines."
        ),
    ] = Template.HELLO,
) -> None:
    """Make a small working algorithm: module, test, requirements.txt, algorithm.yml, README.

    Exit codes: 0 made; 2 wrong usage, or something is there already.
    """
    with command_errors():
        made = scaffold(Path(name), template.value)
    folder = shlex.quote(str(made.folder))
    print(f"made the algorithm {made.name}: {', '.join(made.files)}")
    print("next:")
    print(f"  hkube-wrapper run {folder} {EXAMPLES[template.value].format(folder=folder)}")
    print(f"  hkube-wrapper check {folder}")
