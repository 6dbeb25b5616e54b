"""The fixture of tests that load user code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder "algo" for the user's code; afterwards sys.path and sys.modules are restored."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    (tmp_path / "algo").mkdir()
    yield tmp_path / "algo"
    new = [(name, module) for name, module in sys.modules.items() if name not in before]
    for name in [name for name, module in new if _is_below(module, tmp_path)]:
        del sys.modules[name]


def _is_below(module: Any, folder: Path) -> bool:
    if not isinstance(module, ModuleType):
        return True  # an object with which a user's module replaced itself
    paths = [vars(module).get("__file__"), *vars(module).get("__path__", [])]
    return any(str(path).startswith(str(folder)) for path in paths)
