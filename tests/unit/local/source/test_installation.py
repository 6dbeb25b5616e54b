"""Folders that hold more than one algorithm."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from wrapper.local.source.installation import holds_everything


def test_such_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert holds_everything(Path("/"))
    assert holds_everything(tmp_path)
    assert holds_everything(Path(sysconfig.get_path("purelib")).resolve())
    assert not holds_everything(tmp_path / "alg")
