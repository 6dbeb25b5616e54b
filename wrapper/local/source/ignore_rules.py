"""Decides by .dockerignore and .hkubeignore which files are left out of the image."""

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
    "**/.hkube",  # what `dev` keeps of runs, and the secret of its page
    *("**/.coverage", "**/.coverage.*", "**/htmlcov"),
    *("**/.env", "**/.env.*", "**/.envrc"),  # often hold passwords
    *("**/.ssh", "**/.aws", "**/.azure", "**/.config/gcloud", "**/.gnupg", "**/.kube"),
    *("**/.docker/config.json", "**/.netrc", "**/.npmrc", "**/.pypirc", "**/pip.conf"),
    *("**/.git-credentials", "**/.pgpass", "**/.my.cnf", "**/.hkuberc", "**/.hkuberc.json"),
    *("**/*.pem", "**/*.key", "**/*.p12", "**/*.pfx", "**/*.jks", "**/*.ppk", "**/*.kdbx"),
    *("**/id_rsa", "**/id_dsa", "**/id_ecdsa", "**/id_ed25519", "**/kubeconfig"),
    *("**/credentials.json", "**/service-account*.json", "**/secrets.yml", "**/secrets.yaml"),
    *("**/test_*.py", "**/*_test.py", "**/conftest.py"),
    *(f"**/{DOCKER_FILE}", f"**/{HKUBE_FILE}", "**/.gitignore", "**/.gitattributes"),
    *("Dockerfile", "Containerfile"),
)
"""Left out unless .dockerignore includes them again, as `!.env` does: tools, secrets, tests."""


class IgnoreError(WrapperError):
    """An ignore file cannot be used; the message names the line."""

    code = "IgnoreError"


@dataclass(frozen=True)
class IgnoreRules:
    """The patterns of one folder.

    Attributes:
        docker: the defaults, then those of .dockerignore.
        hkube: those of .hkubeignore, which hkubectl reads too.
        may_return: whether a pattern may include files again from a folder that is left out.
    """

    docker: PathSpec[Any]
    hkube: GitIgnoreSpec
    may_return: bool

    def leaves_out(self, path: str, is_folder: bool = False) -> bool:
        """Whether a file is left out of the image.

        Args:
            path: relative to the folder, with slashes.
            is_folder: whether the path is a folder.
        """
        return self.docker.match_file(path) or self.hkube_leaves_out(path, is_folder)

    def hkube_leaves_out(self, path: str, is_folder: bool = False) -> bool:
        """Whether hkubectl would not upload a file."""
        return self.hkube.match_file(f"{path}/" if is_folder else path)


def read_ignore_rules(folder: Path) -> IgnoreRules:
    """Read the ignore files of a folder; each of them may be missing.

    Raises:
        IgnoreError: a file cannot be read, or a pattern is invalid.
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
    """Translate a line of a .dockerignore into a Git pattern.

    Docker's patterns start from the root of the folder, with or without a leading slash, and a
    trailing slash has no meaning. In both formats the last matching pattern decides. Docker also
    looks into folders that are left out, so we use a PathSpec and not a GitIgnoreSpec.

    Returns:
        The pattern; None if the line is empty or a comment.
    """
    if line.startswith("#"):
        return None
    written = line.strip()
    sign, written = ("!", written[1:].strip()) if written.startswith("!") else ("", written)
    if not written:
        return "!" if sign else None  # which is refused, as Docker does
    cleaned = posixpath.normpath(written).lstrip("/")
    return None if cleaned in (".", "") else sign + _anchored(cleaned)


def _anchored(pattern: str) -> str:
    return f"/{pattern}"


def _docker_spec(patterns: list[str]) -> PathSpec[Any]:
    # A pattern for a folder also covers everything below it, even if it ends in a star.
    both = [each for pattern in patterns for each in (pattern, f"{pattern}/**")]
    return _quietly(lambda: PathSpec.from_lines("gitignore", both))


def _hkube_spec(patterns: list[str]) -> GitIgnoreSpec:
    return _quietly(lambda: GitIgnoreSpec.from_lines(patterns))


def _quietly(make: Callable[[], T]) -> T:
    """Compile patterns without the warnings that Python gives for some, such as `[[a]`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


def _check(make: Callable[[list[str]], object], pattern: str, where: str, line: str) -> None:
    try:
        make([pattern])
    except ValueError as error:
        raise IgnoreError(f"{where} has an invalid pattern: {line.strip()}") from error


def _lines(path: Path) -> list[str]:
    try:
        if path.exists() and not path.is_file():  # reading a FIFO would wait for ever
            raise IgnoreError(f"cannot read {path}: it is not a file")
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise IgnoreError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise IgnoreError(f"cannot read {path}: it is not UTF-8 text") from error
