"""Reads what an algorithm.yml says about the image: the version and the Python version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .manifest import read_document

_PYTHON = re.compile(r"python:?\s*(\d{1,9}(?:\.\d{1,9})?).*", re.IGNORECASE)


@dataclass(frozen=True)
class Description:
    """The image's part of an algorithm.yml.

    Attributes:
        version: the algorithm's version as written; empty if not given.
        python: the Python version, such as 3.9; empty if not given.
    """

    version: str = ""
    python: str = ""


def read_description(path: Path | None) -> Description:
    """Read a description that `read_manifest` accepts; None gives an empty one.

    Raises:
        ManifestError: the file cannot be read any more.
    """
    document = read_document(path) if path is not None else None
    if not isinstance(document, dict):
        return Description()
    version = document.get("version")
    python = _PYTHON.fullmatch(str(document.get("env") or ""))
    return Description(
        version=str(version) if isinstance(version, (str, int, float)) else "",
        python=python[1] if python else "",
    )
