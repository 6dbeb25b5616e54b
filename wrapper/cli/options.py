"""Options and arguments that several commands have."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class StorageKind(enum.Enum):
    """The storages that local tools have."""

    FS = "fs"


AlgorithmPath = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A Python file; a folder with a main.py or an algorithm.yml; pkg.module; "
        "an algorithm.yml or .json; or an archive (.tar.gz, .zip).",
    ),
]
Pipelines = Annotated[
    Path | None,
    typer.Option(
        "--pipelines",
        metavar="DIR",
        help="A folder of stored pipelines, which algorithms may start by name.",
        show_default=False,
    ),
]
Answers = Annotated[
    Path | None,
    typer.Option(
        "--answers",
        metavar="FILE",
        help="JSON file of replies to calls of algorithms, which go before all else: "
        '{"algorithms": {"NAME": {"result": …}}, "pipelines": …, "dataSources": …}.',
        show_default=False,
    ),
]
Storage = Annotated[
    StorageKind | None,
    typer.Option(
        "--storage",
        metavar="fs",
        help="Storage mode v3: inputs and results by files in BASE_FS_ADAPTER_DIRECTORY, or in a "
        "folder of its own.",
        show_default=False,
    ),
]
