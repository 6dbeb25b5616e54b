"""The required Python version."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from wrapper.local.check.finding import FindingStatus
from wrapper.local.check.python_version import PythonVersion, check_python
from wrapper.local.source.source import AlgorithmSource

HERE = platform.python_version()
MINOR = "{}.{}".format(*sys.version_info[:2])


def checked(
    folder: Path, project: str | None = None, env: str | None = None
) -> tuple[PythonVersion, list[tuple[FindingStatus, str]]]:
    manifest = None
    if project is not None:
        (folder / "pyproject.toml").write_text(project)
    if env is not None:
        manifest = folder / "algorithm.yml"
        manifest.write_text(f"env: {env}\n")
    version, found = check_python(AlgorithmSource("alg", folder, manifest=manifest))
    return version, [(each.status, each.text) for each in found]


def test_no_version_is_required(tmp_path: Path) -> None:
    assert checked(tmp_path) == (PythonVersion(HERE), [(FindingStatus.FINE, f"Python {HERE}")])
    assert checked(tmp_path, "[tool.x]\na = 1\n", "python")[1][0][0] is FindingStatus.FINE


def test_required_version_is_met(tmp_path: Path) -> None:
    version, found = checked(tmp_path, "[project]\nrequires-python = '>=3.10'\n", f"python:{MINOR}")
    assert version == PythonVersion(HERE, ">=3.10", MINOR)
    assert found == [(FindingStatus.FINE, f"Python {HERE}")]


@pytest.mark.parametrize(
    ("project", "text"),
    [
        (
            "[project]\nrequires-python = '<3'\n",
            f"pyproject.toml asks for Python <3, but this is {HERE}",
        ),
        ("[project]\nrequires-python = 3\n", "requires-python must be text"),
        ("[project]\nrequires-python = 'new'\n", "pyproject.toml: requires-python: "),
        ("[project", "pyproject.toml cannot be read: "),
        (f"x = {'[' * 5000}", "pyproject.toml cannot be read: it is nested too deep"),
        (f"[project]\nrequires-python = '<{'1' * 5000}'\n", "pyproject.toml cannot be read: "),
    ],
)
def test_pyproject_that_cannot_be_met(tmp_path: Path, project: str, text: str) -> None:
    ((status, found),) = checked(tmp_path, project)[1]
    assert (status, text in found) == (FindingStatus.WRONG, True)


@pytest.mark.parametrize(
    ("env", "status", "text"),
    [
        (
            "python:3.9",
            FindingStatus.WRONG,
            "env asks for python:3.9; this wrapper needs 3.10 or newer",
        ),
        (
            "python:3.99",
            FindingStatus.NOTE,
            f"env asks for python:3.99, but this check ran with {HERE}",
        ),
        ("python:2", FindingStatus.NOTE, "env asks for python:2"),
    ],
)
def test_version_of_the_image(tmp_path: Path, env: str, status: FindingStatus, text: str) -> None:
    ((found_status, found),) = checked(tmp_path, env=env)[1]
    assert (found_status, text in found) == (status, True)
