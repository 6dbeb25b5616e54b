"""What a requirements.txt lists, read as pip reads it."""

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
"""Files that include one another are few, where a person writes them."""

MAX_SHOWN = 200
"""Characters of a line that an error repeats."""

# Each begins only where the space does: else many spaces are looked at once for each of them.
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
        name: canonical; empty where it cannot be told (an address, a folder).
        text: the requirement as it is written.
        place: file and line.
        specifier: the versions that do.
        applies: its marker holds here.
        local: it is a file or a folder of the algorithm's.
    """

    name: str
    text: str
    place: str
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    applies: bool = True
    local: bool = False


@dataclass(frozen=True)
class Requirements:
    """All of a requirements.txt and what it includes.

    Attributes:
        present: there is one.
        listed: what will be installed.
        constraints: versions that what is installed must have, wherever it comes from.
        problems: a sentence for each line that pip would refuse, or that leads out of the folder.
        files: the files themselves, relative to the folder and named as pip looks for them: one
            may be a link, or have `..` within its path.
        local: they name files or folders of the algorithm's, which must be there to install.
    """

    present: bool
    listed: tuple[Listed, ...] = ()
    constraints: tuple[Listed, ...] = ()
    problems: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    local: bool = False

    @property
    def names(self) -> set[str]:
        """The canonical names of what will be installed here."""
        return {each.name for each in self.listed if each.applies and each.name}


def read_requirements(folder: Path) -> Requirements:
    """Read a folder's requirements.txt; never fails, but tells its problems."""
    file = folder / FILE_NAME
    if not file.is_file():
        if not file.is_symlink():
            return Requirements(present=False)
        return Requirements(present=True, problems=(f"{FILE_NAME} is a link that leads nowhere",))
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
    """The lines of a requirements file without comments, joined where one goes on.

    Returns:
        The number of each one's first line, and its text, which is not empty.
    """
    joined, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        began = began or number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            joined += line[:-1]
            continue
        # A comment line among joined ones ends them, as for pip.
        whole = _COMMENT.sub("", joined + (f" {line.strip()}" if is_comment else line)).strip()
        if whole:
            yield began, whole
        joined, began = "", 0
    whole = _COMMENT.sub("", joined).strip()
    if whole:
        yield began, whole


class _Reader:
    """Follows the includes of a file and gathers what it finds.

    Args:
        folder: which no include may leave.
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
            self.problems.append(
                f"{FILE_NAME} is a link out of the folder: put the file itself there"
            )

    def _read(self, name: str, constraint: bool) -> None:
        """Read one file, relative to the folder."""
        if name not in self.files:
            self.files.append(name)
        if posixpath.normpath(name) in self._seen:
            return  # a circle, or the same file twice
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
                f"{place} includes {target}, which is not in the folder and so not in the image"
            )
            return
        if not exists:
            self.problems.append(f"{place} includes {target}, which does not exist")
        elif written.is_absolute() or posixpath.normpath(written).startswith("../"):
            better = posixpath.relpath(relative, posixpath.dirname(posixpath.normpath(name)))
            self.problems.append(
                f"{place} includes {target}, a path that the image does not have: write {better}"
            )
        elif len(self.files) >= MAX_FILES:
            self.problems.append(
                f"{place} includes {target}, which makes more than {MAX_FILES} files"
            )
        else:
            self._read(written.as_posix(), constraint)

    def _requirement(self, text: str, place: str, constraint: bool) -> None:
        found = self.constraints if constraint else self.listed
        try:
            requirement = Requirement(text)
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        except (ValueError, RecursionError) as error:  # a marker can be valid, and without sense
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
    """Read a text as pip does: a mark at its beginning tells UTF-16, which PowerShell writes."""
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
        return "its marker compares what cannot be compared"
    return _short(str(error).splitlines()[0].rstrip(".:"))


def _short(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _is_address(text: str) -> bool:
    if "://" in text or text.startswith(("file:", "git+")):
        return True
    return text.startswith((".", "/", "~")) or text.endswith((".whl", ".tar.gz", ".zip"))


def _address(text: str, place: str) -> Listed:
    """A requirement that is an address or a path; its name, if it tells one."""
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
