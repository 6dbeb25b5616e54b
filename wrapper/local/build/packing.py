"""From an algorithm to what its image is made of: all that can be wrong is found before a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import WrapperError
from ..check.missing_packages import harmful, needs_of_wrapper
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
    """An algorithm cannot be made into an image; the text says why."""

    code = "PackingError"


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    Attributes:
        tag: the image's name; None: the algorithm's.
        base: the image to build on; None: that of the description, or HKube's.
        pip_conf: a pip.conf for the time of the build.
        engine_arguments: for the engine's build command.
    """

    tag: str | None = None
    base: str | None = None
    pip_conf: Path | None = None
    engine_arguments: Sequence[str] = ()


@dataclass(frozen=True)
class Packed:
    """An image, ready to be built.

    Attributes:
        image: what the Dockerfile is of.
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
        """Write the build context into a folder that is empty, or not there yet.

        Raises:
            ContextError: it cannot be written.
        """
        write_context(folder, self.image, self.tree, self.requirements)


def pack(source: AlgorithmSource, wishes: Wishes) -> Packed:
    """Describe the image of an algorithm.

    Raises:
        WrapperError: it cannot be had; one sentence says why.
    """
    base = check_base(wishes.base or source.base_image or DEFAULT_BASE)
    version = read_description(source.manifest).version
    tag = check_tag(wishes.tag) if wishes.tag is not None else default_tag(source.name, version)
    file = find_start(source)
    if is_shared_folder(source.folder):
        raise PackingError(
            f"all of {source.folder} would go into the image: give the folder of the algorithm "
            "alone"
        )
    if wishes.pip_conf is not None and not wishes.pip_conf.is_file():
        raise PackingError(f"there is no file {wishes.pip_conf} to give to pip")
    tree = read_tree(source.folder)
    for fault in not_packable(tree, file):
        raise PackingError(fault.text)
    requirements = read_requirements(source.folder)
    for problem in (*requirements.problems, *harmful(requirements, needs_of_wrapper())):
        raise PackingError(problem)
    image = Image(
        name=source.name,
        base=base,
        entry_point=source.entry_point,
        version=version,
        environ=source.environ,
        installs=bool(requirements.listed),
        installs_own_files=requirements.local,
        secret=wishes.pip_conf is not None or any(map(_gives_secret, wishes.engine_arguments)),
    )
    dockerfile(image)  # what cannot be in one is told before anything is written
    return Packed(image, tag, tree, requirements, tuple(_remarks(tree, requirements)))


def _gives_secret(argument: str) -> bool:
    return f"id={SECRET}" in argument.split(",") or f"--secret=id={SECRET}" in argument


def _remarks(tree: Tree, requirements: Requirements) -> list[str]:
    remarks = []
    for name in ("Dockerfile", "Containerfile"):
        if (tree.folder / name).is_file():
            remarks.append(
                f"{name} of the folder is not used: this command writes its own (with yours, "
                f"docker build {tree.folder})"
            )
    if requirements.local:
        remarks.append(
            f"{FILE_NAME} names files of the folder, so everything is installed anew whenever a "
            "file changes"
        )
    if tree.size > LARGE_FOLDER:
        remarks += [finding.text for finding in tree_findings(tree, None)][:1]
    return remarks
