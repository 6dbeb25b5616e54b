"""Options and arguments that several commands share."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


class StorageKind(enum.Enum):
    """The kinds of storage that the local tools support."""

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
        help="A folder of stored pipelines that algorithms may start by name.",
        show_default=False,
    ),
]
Answers = Annotated[
    Path | None,
    typer.Option(
        "--answers",
        metavar="FILE",
        help="A JSON file with replies to algorithms' calls, used before anything else: "
        '{"algorithms": {"NAME": {"result": …}}, "pipelines": …, "dataSources": …}.',
        show_default=False,
    ),
]
Storage = Annotated[
    StorageKind | None,
    typer.Option(
        "--storage",
        metavar="fs",
        help="Use storage mode v3: pass inputs and results as files in BASE_FS_ADAPTER_DIRECTORY, "
        "or in a temporary folder if that is not set.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the result to a file instead of stdout: bytes as they are, anything else as "
        "JSON.",
        show_default=False,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        metavar="",
        help="On stderr show only what algorithms write, warnings and errors.",
    ),
]
Environment = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        "-e",
        metavar="KEY=VALUE",
        help="An environment variable of the algorithm. Repeat the option for another one.",
        show_default=False,
    ),
]
Metrics = Annotated[
    Path | None,
    typer.Option(
        "--metrics",
        metavar="DIR",
        help="Keep TensorBoard files in DIR, in a folder for each task: "
        "DIR/PIPELINE/NODE/JOB/TASK.",
        show_default=False,
    ),
]
