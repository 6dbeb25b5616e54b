"""Reports problems with the files that go into an image or are uploaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..source.file_tree import Tree, TreeFile, shown_size
from ..source.ignore_rules import DOCKER_FILE, HKUBE_FILE
from ..source.imported_modules import own_imports_of
from .finding import Finding, fine, note, wrong

TOPIC = "folder"
LARGE_FOLDER = 100_000_000
"""Bytes; code is smaller, so a larger folder probably holds forgotten data."""
LARGE_FILE = 10_000_000
LARGE_UPLOAD = 1_000_000
WORTH_A_SIZE = 100_000
MAX_NAMED = 3


def tree_findings(tree: Tree, entry: Path | None) -> Iterator[Finding]:
    """Report the size, large files, links outside the folder, and a module that is left out.

    Args:
        tree: the folder.
        entry: the algorithm's module; None if there is no such file.
    """
    count = len(tree.files)
    size = f"{count} file{'' if count == 1 else 's'}, {shown_size(tree.size)}"
    out = f"; left out: {_named(tree.left_out)}" if tree.left_out else ""
    if tree.size <= LARGE_FOLDER:
        yield fine(TOPIC, f"{size} for the image{out}")
    else:
        yield note(
            TOPIC,
            f"{size} for the image, the largest {_named(tree.largest(MAX_NAMED))}: list "
            f"what the algorithm does not need in {DOCKER_FILE}{out}",
        )
    if tree.size <= LARGE_FOLDER:
        for file in tree.largest(MAX_NAMED):
            if file.size >= LARGE_FILE:
                yield note(TOPIC, f"{file.path} is {shown_size(file.size)}: is it needed?")
    uploaded = [each for each in tree.uploaded if each.size >= LARGE_UPLOAD]
    if uploaded:
        yield note(
            TOPIC,
            f"hkubectl would still upload {_named(uploaded)}: list it in {HKUBE_FILE}",
        )
    yield from not_packable(tree, entry)


def not_packable(tree: Tree, entry: Path | None) -> Iterator[Finding]:
    """Report what prevents building an image of the folder."""
    for link in tree.stray_links:
        yield wrong(
            TOPIC,
            f"{link} links outside the folder, which does not work in the image: copy the file "
            f"into the folder, or list the link in {DOCKER_FILE}",
        )
    if entry is not None:
        path = entry.relative_to(tree.folder).as_posix()
        if all(file.path != path for file in tree.files):
            yield wrong(TOPIC, f"the algorithm's module {path} is left out{_by_rule(path)}")
        left_out = {file.path for file in tree.left_out}
        for module, place in own_imports_of(entry, tree.folder).items():
            shown = os.path.relpath(module, tree.folder)
            parents = [each.as_posix() for each in PurePosixPath(shown).parents]
            if shown != path and left_out.intersection([shown, *parents]):
                yield wrong(TOPIC, f"{place} imports {shown}, which is left out{_by_rule(shown)}")


def left_out_lines(tree: Tree) -> Iterator[str]:
    """Yield a line for each file or folder that does not go into the image."""
    for file in tree.left_out:
        yield _with_size(file)


def _by_rule(path: str) -> str:
    return (
        f" by {DOCKER_FILE}, {HKUBE_FILE} or by default: write !{path} into {DOCKER_FILE} to "
        "include it"
    )


def _named(files: list[TreeFile] | tuple[TreeFile, ...]) -> str:
    largest = sorted(files, key=lambda file: (-file.size, file.path))
    named = ", ".join(map(_with_size, largest[:MAX_NAMED]))
    more = len(files) - MAX_NAMED
    return f"{named} and {more} more" if more > 0 else named


def _with_size(file: TreeFile) -> str:
    return f"{file.path} ({shown_size(file.size)})" if file.size >= WORTH_A_SIZE else file.path
