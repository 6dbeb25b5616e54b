"""Reads a requirements.txt and the files that it includes, as pip would."""

from __future__ import annotations

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from packaging.markers import UndefinedComparison
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

FILE_NAME = "requirements.txt"
MAX_BYTES = 2_000_000
MAX_FILES = 100
"""The limit of included files; hand-written requirements use a few."""

MAX_SHOWN = 200
"""Characters of a line that an error message shows."""

# Each starts only at the first space of a run; otherwise long runs take quadratic time.
_COMMENT = re.compile(r"(^|(?<!\s)\s+)#.*$")
_OPTION_OF_LINE = re.compile(r"(?<!\s)\s+(--?[a-z][a-z-]*[= ].*|\\)$")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)")
_EDITABLE = re.compile(r"(-e|--editable)[\s=]*(.+)")
_FIND_LINKS = re.compile(r"(-f|--find-links)[\s=]*(.+)")
_OPTION = re.compile(
    r"(-i|--index-url|--extra-index-url|--no-index|--no-binary|--only-binary|--prefer-binary"
    r"|--require-hashes|--pre|--trusted-host|--use-feature)\b"
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_EGG = re.compile(r"(?:^|&)egg=([A-Za-z0-9._-]+)")


@dataclass(frozen=True)
class Listed:
    """One line that names a distribution.

    Attributes:
        name: the canonical name; empty if unknown, as for an address or a folder.
        text: the requirement as written.
        place: file and line.
        specifier: the accepted versions.
        applies: whether its marker holds on this machine.
        local: whether it is a file or a folder of the algorithm.
    """

    name: str
    text: str
    place: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    applies: bool = True
    local: bool = False


@dataclass(frozen=True)
class Requirements:
    """The contents of a requirements.txt and of the files that it includes.

    Attributes:
        present: whether there is a requirements.txt.
        listed: the distributions to install.
        constraints: versions that limit what is installed, whatever requires it.
        problems: a sentence for each line that pip would refuse or that points outside the folder.
        files: the files that were read, relative to the folder and named as pip looks for them; a
            file may be a link, and its path may contain `..`.
        local: whether they name files or folders of the algorithm, needed during installation.
    """

    present: bool
    listed: tuple[Listed, ...] = ()
    constraints: tuple[Listed, ...] = ()
    problems: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    local: bool = False

    @property
    def names(self) -> set[str]:
        """The canonical names of the distributions that would be installed on this machine."""
        return {each.name for each in self.listed if each.applies and each.name}


def read_requirements(folder: Path) -> Requirements:
    """Read a folder's requirements.txt; errors are reported as `problems`, not raised."""
    file = folder / FILE_NAME
    if not file.is_file():
        if not file.is_symlink():
            return Requirements(present=False)
        return Requirements(present=True, problems=(f"{FILE_NAME} is a broken link",))
    reader = _Reader(folder.resolve())
    reader.begin()
    return Requirements(
        present=True,
        listed=tuple(reader.listed),
        constraints=tuple(reader.constraints),
        problems=tuple(reader.problems),
        files=tuple(reader.files),
        local=reader.local or any(each.local for each in reader.listed),
    )


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continued lines of a requirements file, and drop comments and empty lines.

    Yields:
        The number of the first line, and the text.
    """
    joined, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        began = began or number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            joined += line[:-1]
            continue
        # As for pip, a comment line ends a continued line.
        whole = _COMMENT.sub("", joined + (f" {line.strip()}" if is_comment else line)).strip()
        if whole:
            yield began, whole
        joined, began = "", 0
    whole = _COMMENT.sub("", joined).strip()
    if whole:
        yield began, whole


class _Reader:
    """Reads a requirements file and follows its includes.

    Args:
        folder: the algorithm's folder; includes outside it are refused.
    """

    def __init__(self, folder: Path) -> None:
        self.listed: list[Listed] = []
        self.constraints: list[Listed] = []
        self.problems: list[str] = []
        self.files: list[str] = []
        self.local = False
        self._folder = folder
        self._seen: set[str] = set()

    def begin(self) -> None:
        """Read requirements.txt and what it includes."""
        if (self._folder / FILE_NAME).resolve().is_relative_to(self._folder):
            self._read(FILE_NAME, constraint=False)
        else:
            self.problems.append(f"{FILE_NAME} links outside the folder: put the file itself there")

    def _read(self, name: str, constraint: bool) -> None:
        """Read one file, relative to the folder."""
        if name not in self.files:
            self.files.append(name)
        if posixpath.normpath(name) in self._seen:
            return  # the file includes itself, or is included twice
        self._seen.add(posixpath.normpath(name))
        try:
            text = _decoded(self._folder / name)
        except OSError as error:
            self.problems.append(f"{name} cannot be read: {error.strerror}")
            return
        except ValueError as error:
            self.problems.append(f"{name} cannot be read: {error}")
            return
        for number, line in logical_lines(text):
            self._line(line, name, number, constraint)

    def _line(self, line: str, name: str, number: int, constraint: bool) -> None:
        place = f"{name}:{number}"
        if include := _INCLUDE.fullmatch(line):
            is_constraint = constraint or include[1] in ("-c", "--constraint")
            self._include(include[2].strip(), name, place, is_constraint)
        elif editable := _EDITABLE.fullmatch(line):
            self.listed.append(_address(editable[2].strip(), place))
        elif links := _FIND_LINKS.fullmatch(line):
            self.local = self.local or not _ADDRESS.match(links[2].strip())
        elif line.startswith("-"):
            if not _OPTION.match(line):
                self.problems.append(
                    f"{place} has an option that pip does not know: {_short(line)}"
                )
        else:
            self._requirement(_OPTION_OF_LINE.sub("", line).strip(), place, constraint)

    def _include(self, target: str, name: str, place: str, constraint: bool) -> None:
        if _ADDRESS.match(target):
            self.listed.append(Listed("", target, place))
            return
        written = PurePosixPath(name).parent / target
        try:
            path = (self._folder / written).resolve()
            relative = path.relative_to(self._folder).as_posix()
            exists = path.is_file()
        except (OSError, RuntimeError, ValueError):
            self.problems.append(
                f"{place} includes {target}, which is outside the folder and so not in the image"
            )
            return
        if not exists:
            self.problems.append(f"{place} includes {target}, which does not exist")
        elif written.is_absolute() or posixpath.normpath(written).startswith("../"):
            better = posixpath.relpath(relative, posixpath.dirname(posixpath.normpath(name)))
            self.problems.append(
                f"{place} includes {target}, a path that does not exist in the image: "
                f"write {better}"
            )
        elif len(self.files) >= MAX_FILES:
            self.problems.append(
                f"{place} includes {target}, which exceeds the limit of {MAX_FILES} files"
            )
        else:
            self._read(written.as_posix(), constraint)

    def _requirement(self, text: str, place: str, constraint: bool) -> None:
        found = self.constraints if constraint else self.listed
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except (ValueError, RecursionError) as error:  # a marker can be valid but meaningless
            if isinstance(error, InvalidRequirement) and _is_address(text):
                found.append(_address(text, place))
            else:
                self.problems.append(f"{place} is not valid: {_short(text)} ({_reason(error)})")
            return
        found.append(
            Listed(
                name=canonicalize_name(requirement.name),
                text=text,
                place=place,
                specifier=requirement.specifier,
                applies=applies,
                local=(requirement.url or "").startswith("file:"),
            )
        )


def _decoded(path: Path) -> str:
    """Decode a file as pip does: PowerShell writes UTF-16 with a byte order mark."""
    data = path.read_bytes()
    if len(data) > MAX_BYTES:
        raise ValueError(f"it is over {MAX_BYTES:,} bytes")
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, UndefinedComparison):
        return "its marker compares values that cannot be compared"
    return _short(str(error).splitlines()[0].rstrip(".:"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _is_address(text: str) -> bool:
    if "://" in text or text.startswith(("file:", "git+")):
        return True
    return text.startswith((".", "/", "~")) or text.endswith((".whl", ".tar.gz", ".zip"))


def _address(text: str, place: str) -> Listed:
    """Read a requirement that is an address or a path, with its name if it contains one."""
    egg = _EGG.search(text.partition("#")[2])
    name = canonicalize_name(egg[1]) if egg else _wheel_name(text)
    is_local = text.startswith("file:") or not _ADDRESS.match(text)
    return Listed(name, text, place, local=is_local)


def _wheel_name(text: str) -> str:
    file = text.partition("#")[0].rpartition("/")[2]
    if not file.endswith(".whl"):
        return ""
    try:
        return parse_wheel_filename(file)[0]
    except (InvalidWheelFilename, ValueError):
        return ""
