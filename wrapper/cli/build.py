"""`hkube-wrapper build`: builds an algorithm's image; no Dockerfile is needed."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..local.scratch import ScratchFolder
from .errors import FAILED, command_errors

if TYPE_CHECKING:
    from ..local.build.packing import BuildOptions, Packed

Algorithm = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A folder with a main.py or an algorithm.yml; an algorithm.yml or .json; a Python "
        "file, whose folder goes into the image; or an archive (.tar.gz, .zip).",
        show_default=False,
    ),
]
EngineArguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[-- ENGINE-OPTIONS]",
        help="Options after -- are passed to the engine's build command, "
        "for example: -- --network host --pull=never",
        show_default=False,
    ),
]
Tag = Annotated[
    str | None,
    typer.Option(
        "--tag",
        metavar="NAME[:TAG]",
        help="The image's name. Default: the algorithm's name with the version in its "
        "algorithm.yml, or latest.",
        show_default=False,
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="IMAGE",
        help="The image to build on; it must contain the wrapper. Default: baseImage in "
        "algorithm.yml, or hkube/python-wrapper of this version.",
        show_default=False,
    ),
]
PrintOnly = Annotated[
    bool, typer.Option("--print", metavar="", help="Print the Dockerfile; build nothing.")
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="DIR",
        help="Write the build context into a new folder; build nothing.",
        show_default=False,
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="docker|podman|buildah",
        envvar="CONTAINER_ENGINE",
        help="The program that builds. Default: the first of the three that works.",
        show_default=False,
    ),
]
PipConf = Annotated[
    Path | None,
    typer.Option(
        "--pip-conf",
        metavar="FILE",
        help="A pip.conf, for example for a private index; used during the build only, "
        "stored in no layer.",
        show_default=False,
    ),
]


def build(
    path: Algorithm,
    engine_arguments: EngineArguments = None,
    tag: Tag = None,
    base: Base = None,
    print_only: PrintOnly = False,
    output: Output = None,
    engine: EngineName = None,
    pip_conf: PipConf = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", metavar="", help="List what is left out of the image, on stderr."
        ),
    ] = False,
) -> None:
    """Build the image of an algorithm and print its name.

    The packages in requirements.txt are installed in a layer below the code.
    Files listed in .dockerignore or .hkubeignore are left out, and by default
    tests, tools' files, and what may hold secrets, such as .env and *.pem;
    --print and -v list them on stderr.

    Exit codes: 0 built; 1 the engine failed or is missing;
    2 wrong usage, or PATH is not an algorithm that can run.
    """
    from ..local.build.engine import EngineError, engine_name
    from ..local.build.packing import BuildOptions, pack
    from ..local.check.tree_findings import left_out_lines
    from ..local.source.source import open_algorithm
    from .json_values import UsageError

    options = BuildOptions(tag, base, pip_conf, engine_arguments or ())
    with command_errors(), open_algorithm(path) as source:
        if print_only and output is not None:
            raise UsageError(
                "--print and --output cannot be combined: DIR contains the Dockerfile too"
            )
        if engine:
            engine_name(engine)
        packed = pack(source, options)
        for remark in packed.remarks:
            print(f"note: {remark}", file=sys.stderr)
        if print_only or verbose:
            for line in left_out_lines(packed.tree):
                print(f"left out: {line}", file=sys.stderr)
        if print_only:
            print(packed.dockerfile, end="")
        elif output is not None:
            packed.write(output)
            _show_command(output, packed, options, engine)
        else:
            try:
                _build(packed, options, engine)
            except EngineError as error:
                print(f"error: {error}", file=sys.stderr)
                raise typer.Exit(FAILED) from None


def _build(packed: Packed, options: BuildOptions, wanted: str | None) -> None:
    from ..local.build.engine import build_command, find_engine, run_build
    from ..local.build.image_name import has_registry
    from ..local.build.images import has_image, version_remark

    engine = find_engine(wanted)
    base = packed.image.base

    def hint() -> str:
        # podman and buildah do not know which registry a short name means; docker does
        if engine.name == "docker" or has_registry(base) or has_image(engine, base):
            return ""
        return (
            f". The base {base} is not on this machine: build it (make image), or name its "
            f"registry: --base docker.io/{base}"
        )

    with ScratchFolder() as scratch:
        context = Path(scratch, "context")
        packed.write(context)
        more = options.engine_arguments
        run_build(build_command(engine, context, packed.tag, options.pip_conf, more), hint)
    print(packed.tag, flush=True)
    remark = version_remark(engine, packed.tag)
    if remark:
        print(f"note: {remark}", file=sys.stderr)
    if engine.name != "buildah":
        command = f"{engine.name} run --rm {packed.tag} run --input '[]'"
        print(f"try it: {command}", file=sys.stderr)


def _show_command(folder: Path, packed: Packed, options: BuildOptions, wanted: str | None) -> None:
    from ..local.build.engine import BuildEngine, build_command, engine_name

    name = engine_name(wanted or "docker")
    more = options.engine_arguments
    command = build_command(BuildEngine(name, name), folder, packed.tag, options.pip_conf, more)
    print(
        f"the build context is in {folder}; build it where an engine is installed:", file=sys.stderr
    )
    print(shlex.join(command), flush=True)
