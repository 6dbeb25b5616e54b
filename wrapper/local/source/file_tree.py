"""Lists the files of an algorithm's folder: those for its image, and those left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...errors import WrapperError
from .ignore_rules import IgnoreRules, read_ignore_rules

MAX_FILES = 200_000


@dataclass(frozen=True)
class TreeFile:
    """A file, or a folder that is left out entirely.

    Attributes:
        path: relative to the algorithm's folder, with slashes.
        size: bytes; for a folder, of everything in it.
    """

    path: str
    size: int


@dataclass(frozen=True)
class Tree:
    """The contents of an algorithm's folder.

    Attributes:
        folder: its absolute path.
        files: what goes into the image, including links.
        left_out: what does not go into the image.
        uploaded: the part of `left_out` that hkubectl would still upload.
        stray_links: links among `files` that point outside the folder.
    """

    folder: Path
    files: tuple[TreeFile, ...]
    left_out: tuple[TreeFile, ...]
    uploaded: tuple[TreeFile, ...]
    stray_links: tuple[str, ...]

    @property
    def size(self) -> int:
        """The bytes that go into the image."""
        return sum(file.size for file in self.files)

    def largest(self, count: int) -> list[TreeFile]:
        """Return the largest files that go into the image."""
        return sorted(self.files, key=lambda file: (-file.size, file.path))[:count]


class TreeError(WrapperError):
    """A folder cannot be packed; the message says why."""

    code = "TreeError"


def read_tree(folder: Path) -> Tree:
    """List an algorithm's folder.

    Raises:
        TreeError: it cannot be read, or it holds too many files for one algorithm.
        IgnoreError: an ignore file cannot be used.
    """
    rules = read_ignore_rules(folder)
    kept: list[TreeFile] = []
    out: list[TreeFile] = []
    strays: list[str] = []
    for number, (entry, path) in enumerate(_walk(folder, rules), start=1):
        if number > MAX_FILES:
            raise TreeError(
                f"{folder} holds more than {MAX_FILES:,} files: pass the folder of one algorithm"
            )
        if entry.is_dir(follow_symlinks=False):
            out.append(TreeFile(path, _size_below(entry.path)))
        elif rules.leaves_out(path):
            out.append(TreeFile(path, _size(entry)))
        elif entry.is_symlink():
            kept.append(TreeFile(path, 0))
            if _leads_out(entry.path, folder):
                strays.append(path)
        elif stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
            kept.append(TreeFile(path, _size(entry)))
    uploaded = tuple(each for each in out if not _hkube_leaves_out(each, folder, rules))
    return Tree(folder, _sorted(kept), _sorted(out), uploaded, tuple(sorted(strays)))


def shown_size(size: int) -> str:
    """Show a number of bytes to people: `0 bytes`, `12.3 kB`, `4.0 MB`."""
    if size < 1000:
        return f"{size} byte{'' if size == 1 else 's'}"
    amount, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 999.95:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"


def _walk(folder: Path, rules: IgnoreRules) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield all files, and the folders that are left out entirely."""
    waiting = [(os.fspath(folder), "")]
    while waiting:
        directory, prefix = waiting.pop()
        for entry in _scan(directory):
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder and not _is_environment(entry.path) and not _stays_out(path, rules):
                waiting.append((entry.path, f"{path}/"))
            else:
                yield entry, path


def _stays_out(path: str, rules: IgnoreRules) -> bool:
    if rules.hkube_leaves_out(path, is_folder=True):
        return True
    return not rules.may_return and rules.leaves_out(path, is_folder=True)


def _is_environment(folder: str) -> bool:
    """Whether a folder is a virtual environment, which holds paths of this machine."""
    return os.path.isfile(os.path.join(folder, "pyvenv.cfg"))


def _scan(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError as error:
        raise TreeError(f"cannot read {directory}: {error.strerror}") from error


def _size_below(folder: str) -> int:
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(directory, name)).st_size
            except OSError:
                continue  # it was deleted meanwhile
    return total


def _size(entry: os.DirEntry[str]) -> int:
    return entry.stat(follow_symlinks=False).st_size


def _leads_out(link: str, folder: Path) -> bool:
    target = os.path.realpath(link)
    base = os.path.realpath(folder)
    is_absolute = os.path.isabs(os.readlink(link))  # it points elsewhere in the image
    return is_absolute or os.path.commonpath([target, base]) != base


def _hkube_leaves_out(each: TreeFile, folder: Path, rules: IgnoreRules) -> bool:
    is_folder = (folder / each.path).is_dir()
    return rules.hkube_leaves_out(each.path, is_folder)


def _sorted(files: list[TreeFile]) -> tuple[TreeFile, ...]:
    return tuple(sorted(files, key=lambda file: file.path))
