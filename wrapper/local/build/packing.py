"""Prepares an algorithm's image and finds everything that is wrong before the build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import WrapperError
from ...text.redaction import redacted
from ..check.missing_packages import wrapper_conflicts, wrapper_needs
from ..check.static_start import find_start
from ..check.tree_findings import LARGE_FOLDER, not_packable, tree_findings
from ..source.description import read_description
from ..source.file_tree import Tree, read_tree
from ..source.requirements import FILE_NAME, Requirements, read_requirements
from ..source.source import AlgorithmSource, is_shared_folder
from .context import write_context
from .dockerfile import DEFAULT_BASE, SECRET, Image, dockerfile
from .image_name import check_base, check_tag, default_tag


class PackingError(WrapperError):
    """No image can be built of an algorithm; the message says why."""

    code = "PackingError"


@dataclass(frozen=True)
class BuildOptions:
    """The user's options for a build.

    Attributes:
        tag: the image's name; None for the algorithm's name.
        base: the image to build on; None for the description's or HKube's.
        pip_conf: a pip.conf to use during the build only.
        engine_arguments: further arguments for the engine's build command.
    """

    tag: str | None = None
    base: str | None = None
    pip_conf: Path | None = None
    engine_arguments: Sequence[str] = ()


@dataclass(frozen=True)
class Packed:
    """An algorithm, ready to be built.

    Attributes:
        image: the image that the Dockerfile describes.
        tag: the image's name.
        tree: the algorithm's files.
        requirements: its requirements.txt.
        remarks: sentences for the user.
    """

    image: Image
    tag: str
    tree: Tree
    requirements: Requirements
    remarks: tuple[str, ...]

    @property
    def dockerfile(self) -> str:
        """The Dockerfile's text."""
        return dockerfile(self.image)

    def write(self, folder: Path) -> None:
        """Write the build context into an empty or new folder.

        Raises:
            ContextError: it cannot be written.
        """
        write_context(folder, self.image, self.tree, self.requirements)


def pack(source: AlgorithmSource, options: BuildOptions) -> Packed:
    """Prepare the image of an algorithm.

    Raises:
        WrapperError: it cannot be built; the message says why.
    """
    base = check_base(options.base or source.base_image or DEFAULT_BASE)
    version = read_description(source.manifest).version
    tag = check_tag(options.tag) if options.tag is not None else default_tag(source.name, version)
    file = find_start(source)
    if is_shared_folder(source.folder):
        raise PackingError(
            f"all of {source.folder} would go into the image: put the algorithm in a separate "
            "folder"
        )
    if options.pip_conf is not None and not options.pip_conf.is_file():
        raise PackingError(f"the --pip-conf file {options.pip_conf} does not exist")
    tree = read_tree(source.folder)
    for finding in not_packable(tree, file):
        raise PackingError(finding.text)
    requirements = read_requirements(source.folder)
    for problem in (*requirements.problems, *wrapper_conflicts(requirements, wrapper_needs())):
        raise PackingError(redacted(problem))
    image = Image(
        name=source.name,
        base=base,
        entry_point=source.entry_point,
        version=version,
        environ=source.environ,
        install_command=source.install_command,
        installs=bool(requirements.listed) and not source.install_command,
        installs_own_files=requirements.local,
        secret=options.pip_conf is not None or any(map(_gives_secret, options.engine_arguments)),
    )
    dockerfile(image)  # raises before anything is written
    return Packed(image, tag, tree, requirements, (*source.unused, *_remarks(tree, requirements)))


def _gives_secret(argument: str) -> bool:
    return f"id={SECRET}" in argument.split(",") or f"--secret=id={SECRET}" in argument


def _remarks(tree: Tree, requirements: Requirements) -> list[str]:
    remarks = []
    for name in ("Dockerfile", "Containerfile"):
        if (tree.folder / name).is_file():
            remarks.append(
                f"the folder's {name} is not used: this command writes its own (to use yours: "
                f"docker build {tree.folder})"
            )
    if requirements.local:
        remarks.append(
            f"{FILE_NAME} lists files from the folder, so all packages are installed again "
            "whenever a file changes"
        )
    if tree.size > LARGE_FOLDER:
        remarks += [finding.text for finding in tree_findings(tree, None)][:1]
    return remarks
