"""`hkube-wrapper init`: creates a small working algorithm to start from."""

from __future__ import annotations

import enum
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..local.init.scaffold import EXAMPLES, scaffold
from .errors import command_errors


class Template(str, enum.Enum):
    """The templates."""

    HELLO = "hello"
    MODEL = "model"
    SUBPIPELINE = "subpipeline"


def init(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The algorithm's name, or a path that ends with it: lowercase letters, "
            "digits, '-' and '.'. The folder is created; no file is overwritten.",
            show_default=False,
        ),
    ],
    template: Annotated[
        Template,
        typer.Option(
            help="hello: returns a result; model: loads a model once; subpipeline: calls other "
            "algorithms and pipelines."
        ),
    ] = Template.HELLO,
) -> None:
    """Create a small working algorithm: module, test, requirements.txt, algorithm.yml, README.

    Exit codes: 0 created; 2 wrong usage, or the folder is not empty.
    """
    with command_errors():
        made = scaffold(Path(name), template.value)
    folder = shlex.quote(str(made.folder))
    print(f"created the algorithm {made.name}: {', '.join(made.files)}")
    print("next:")
    print(f"  hkube-wrapper run {folder} {EXAMPLES[template.value].format(folder=folder)}")
    print(f"  hkube-wrapper check {folder}")
