"""Writes user code into a folder and loads it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wrapper.algorithm.loading.loader import EntryPoint, load
from wrapper.errors import LoadError


def write(folder: Path, **files: str) -> None:
    """Write Python files; ``src__main`` is src/main.py."""
    _write(folder, {name.replace("__", "/") + ".py": text for name, text in files.items()})


def started(folder: Path, target: str = "main.py", data: Any = None) -> Any:
    """Load the code, call its start, and return the result."""
    return load(EntryPoint(folder, target)).start(data, "api")


def refusal(folder: Path, target: str = "main.py") -> str:
    """Load code that cannot be loaded, and return the error's message."""
    return str(_load_error(folder, target))


def failure(folder: Path, files: Mapping[str, str], target: str = "main.py") -> LoadError:
    """Write code that cannot be loaded, given by path, and return the error."""
    _write(folder, files)
    return _load_error(folder, target)


def library(folder: Path, files: Mapping[str, str]) -> None:
    """Install a package, beside the folder."""
    packages = folder.parent / "lib/site-packages"
    _write(packages, files)
    sys.path.append(str(packages))


def _load_error(folder: Path, target: str) -> LoadError:
    with pytest.raises(LoadError) as caught:
        load(EntryPoint(folder, target))
    return caught.value


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
