"""Which files of an algorithm's folder stay out of its image: .dockerignore and .hkubeignore."""

from __future__ import annotations

import posixpath
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pathspec import GitIgnoreSpec, PathSpec

from ...errors import WrapperError

DOCKER_FILE = ".dockerignore"
HKUBE_FILE = ".hkubeignore"

T = TypeVar("T")

DEFAULTS = (
    *("**/.git", "**/.hg", "**/.svn", "**/.idea", "**/.vscode", "**/.DS_Store"),
    *("**/.venv*", "**/venv", "**/.tox", "**/.nox", "**/node_modules"),
    *("**/__pycache__", "**/*.pyc", "**/*.egg-info", "**/.ipynb_checkpoints"),
    *("**/.pytest_cache", "**/.mypy_cache", "**/.ruff_cache", "**/.hypothesis"),
    *("**/.coverage", "**/.coverage.*", "**/htmlcov"),
    *("**/.env", "**/.env.*"),  # a place for passwords
    *(f"**/{DOCKER_FILE}", f"**/{HKUBE_FILE}", "**/.gitignore", "**/.gitattributes"),
    *("Dockerfile", "Containerfile"),
)
"""Left out unless the .dockerignore takes them in again, as with `!.env`."""


class IgnoreError(WrapperError):
    """A file of patterns cannot be used; the text names the line."""

    code = "IgnoreError"


@dataclass(frozen=True)
class IgnoreRules:
    """The patterns of one folder.

    Attributes:
        docker: those of .dockerignore, after the defaults.
        hkube: those of .hkubeignore, which hkubectl honours.
        may_return: a pattern takes files in again, perhaps out of a folder that is left out.
    """

    docker: PathSpec[Any]
    hkube: GitIgnoreSpec
    may_return: bool

    def leaves_out(self, path: str, is_folder: bool = False) -> bool:
        """Tell whether a file stays out.

        Args:
            path: relative to the folder, with slashes.
            is_folder: it is a folder.
        """
        return self.docker.match_file(path) or self.hkube_leaves_out(path, is_folder)

    def hkube_leaves_out(self, path: str, is_folder: bool = False) -> bool:
        """Tell whether hkubectl would leave a file out."""
        return self.hkube.match_file(f"{path}/" if is_folder else path)


def read_ignore_rules(folder: Path) -> IgnoreRules:
    """Read the patterns of a folder; a file that is not there has none.

    Raises:
        IgnoreError: a file cannot be read, or a pattern means nothing.
    """
    defaults = [_anchored(pattern) for pattern in DEFAULTS]
    own: list[str] = []
    for number, line in enumerate(_lines(folder / DOCKER_FILE), start=1):
        pattern = as_git_pattern(line)
        if pattern is not None:
            _check(_docker_spec, pattern, f"{folder / DOCKER_FILE}:{number}", line)
            own.append(pattern)
    hkube_lines = _lines(folder / HKUBE_FILE)
    for number, line in enumerate(hkube_lines, start=1):
        _check(_hkube_spec, line, f"{folder / HKUBE_FILE}:{number}", line)
    return IgnoreRules(
        docker=_docker_spec([*defaults, *own]),
        hkube=_hkube_spec(hkube_lines),
        may_return=any(pattern.startswith("!") for pattern in own),
    )


def as_git_pattern(line: str) -> str | None:
    """Bring a line of a .dockerignore into the form that Git has for the same.

    Docker's patterns start from the folder's root, with or without a slash before them, and a
    slash at the end says nothing. In both the last pattern that matches decides; Docker looks into
    folders that are left out too, which is why a PathSpec is used, not a GitIgnoreSpec.

    Returns:
        None for a line that is empty, or a comment.
    """
    if line.startswith("#"):
        return None
    written = line.strip()
    sign, written = ("!", written[1:].strip()) if written.startswith("!") else ("", written)
    if not written:
        return "!" if sign else None  # which is refused, as by Docker
    cleaned = posixpath.normpath(written).lstrip("/")
    return None if cleaned in (".", "") else sign + _anchored(cleaned)


def _anchored(pattern: str) -> str:
    return f"/{pattern}"


def _docker_spec(patterns: list[str]) -> PathSpec[Any]:
    # A folder's pattern is that of all below it, also where it ends in a star.
    both = [each for pattern in patterns for each in (pattern, f"{pattern}/**")]
    return _quietly(lambda: PathSpec.from_lines("gitignore", both))


def _hkube_spec(patterns: list[str]) -> GitIgnoreSpec:
    return _quietly(lambda: GitIgnoreSpec.from_lines(patterns))


def _quietly(make: Callable[[], T]) -> T:
    """Make something of regular expressions; Python has doubts about some, such as `[[a]`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def _check(make: Callable[[list[str]], object], pattern: str, where: str, line: str) -> None:
    try:
        make([pattern])
    except ValueError as error:
        raise IgnoreError(f"{where} has a pattern that means nothing: {line.strip()}") from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise IgnoreError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise IgnoreError(f"cannot read {path}: it is not UTF-8 text") from error
