"""What a description says for the image, beside what a manifest has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .manifest import read_document

_PYTHON = re.compile(r"python:?\s*(\d{1,9}(?:\.\d{1,9})?).*", re.IGNORECASE)


@dataclass(frozen=True)
class Description:
    """Of an algorithm.yml.

    Attributes:
        version: of the algorithm, as it is written; empty: not said.
        python: version of Python, such as 3.9; empty: not said.
    """

    version: str = ""
    python: str = ""


def read_description(path: Path | None) -> Description:
    """Read a description that is a valid manifest; None has nothing to say.

    Raises:
        ManifestError: it cannot be read any more.
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
