"""Compares the Python that runs here with the one that the algorithm and its image need."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from ..source.description import read_description
from ..source.source import AlgorithmSource
from .finding import Finding, fine, note, wrong

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOPIC = "python"
OLDEST = (3, 10)
"""The oldest version that the wrapper supports."""


@dataclass(frozen=True)
class PythonVersion:
    """The Python versions that matter.

    Attributes:
        here: the version that runs the check.
        required: `requires-python` of the algorithm's pyproject.toml; empty if not given.
        image: the version in `env` of its algorithm.yml (python:3.11); empty if not given.
    """

    here: str
    required: str = ""
    image: str = ""


def check_python(source: AlgorithmSource) -> tuple[PythonVersion, list[Finding]]:
    """Compare the version that runs here with those that are asked for."""
    here = platform.python_version()
    findings: list[Finding] = []
    required = ""
    try:
        required = _required(source.folder / "pyproject.toml")
        if required and not SpecifierSet(required).contains(here, prereleases=True):
            text = f"pyproject.toml asks for Python {required}, but this is {here}"
            findings.append(wrong(TOPIC, text))
    except InvalidSpecifier as error:
        findings.append(wrong(TOPIC, f"pyproject.toml: requires-python: {error}"))
    except RecursionError:
        findings.append(wrong(TOPIC, "pyproject.toml cannot be read: it is nested too deep"))
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        findings.append(wrong(TOPIC, f"pyproject.toml cannot be read: {reason}"))
    image = read_description(source.manifest).python
    findings += _about_image(image, here)
    if not findings:
        findings.append(fine(TOPIC, f"Python {here}"))
    return PythonVersion(here, required, image), findings


def _about_image(image: str, here: str) -> list[Finding]:
    if not image:
        return []
    numbers = tuple(int(part) for part in image.split("."))
    if len(numbers) > 1 and numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return [wrong(TOPIC, f"env asks for python:{image}; this wrapper needs {oldest} or newer")]
    if here.split(".")[: len(numbers)] != image.split("."):
        return [note(TOPIC, f"env asks for python:{image}, but this check ran with {here}")]
    return []


def _required(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        document = tomllib.load(file)
    project = document.get("project")
    required = project.get("requires-python", "") if isinstance(project, dict) else ""
    if not isinstance(required, str):
        raise ValueError("requires-python must be text")
    return required
