"""Writes the build context of an image: a folder with everything that the Dockerfile copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from ...errors import WrapperError
from ..source.file_tree import Tree
from ..source.requirements import Requirements
from .dockerfile import CODE_FOLDER, Image, dockerfile

FILE_MODE, EXECUTABLE_MODE, FOLDER_MODE = 0o664, 0o775, 0o775
"""Every user may read, and group 0 may write: OpenShift runs images as any user in group 0."""


class ContextError(WrapperError):
    """A build context cannot be written; the message says why."""

    code = "ContextError"


def write_context(folder: Path, image: Image, tree: Tree, requirements: Requirements) -> None:
    """Write a build context.

    Args:
        folder: an empty folder, or the path of a new one.
        image: the image that the Dockerfile describes.
        tree: the algorithm's files.
        requirements: its requirements.txt and the files that it includes.

    Raises:
        ContextError: the folder is not empty, is inside the algorithm's, or cannot be written.
    """
    text = dockerfile(image)
    if folder.resolve().is_relative_to(tree.folder):
        raise ContextError(f"{folder} is inside the algorithm's folder: choose one outside it")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ContextError(f"{folder} is not an empty folder: choose another")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text(text, encoding="utf-8")
        _make(folder / "code")
        _copy(tree.folder, folder / "code" / CODE_FOLDER, [file.path for file in tree.files])
        if image.installs and not image.installs_own_files:
            # pip looks for each file by the name in its include, so links are replaced by the
            # files that they point to.
            _copy(tree.folder, folder / "requirements", requirements.files, follow=True)
    except (OSError, shutil.Error) as error:
        reason = getattr(error, "strerror", None) or error
        at = getattr(error, "filename", None) or folder
        raise ContextError(f"cannot write the build context: {at}: {reason}") from error


def _copy(source: Path, target: Path, paths: Iterable[str], follow: bool = False) -> None:
    _make(target)
    for path in paths:
        made = target / path
        for parent in reversed(made.relative_to(target).parents[:-1]):
            _make(target / parent)
        original = source / path
        if original.is_symlink() and not follow:
            made.symlink_to(original.readlink())
            continue
        shutil.copyfile(original, made)
        is_program = original.stat().st_mode & 0o100
        made.chmod(EXECUTABLE_MODE if is_program else FILE_MODE)


def _make(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(FOLDER_MODE)
