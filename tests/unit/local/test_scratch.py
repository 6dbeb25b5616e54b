from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from wrapper.local.scratch import ScratchFolder, remove_left_behind

LEFT = "hkube-4194303999-1-abc"


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("wrapper.local.scratch.is_left_behind", lambda name: name == LEFT)
    return tmp_path


def test_what_a_killed_process_left_is_removed_and_nothing_else(parent: Path) -> None:
    (parent / LEFT / "deep").mkdir(parents=True)
    (parent / LEFT / "deep" / "file").touch()
    (parent / "hkube-mine").mkdir()
    with ScratchFolder() as folder:
        assert sorted(each.name for each in parent.iterdir()) == sorted(
            ["hkube-mine", Path(folder).name]
        )
    assert [each.name for each in parent.iterdir()] == ["hkube-mine"]


def test_a_link_is_not_followed(parent: Path) -> None:
    (parent / "other").mkdir()
    (parent / "other" / "file").touch()
    (parent / LEFT).symlink_to(parent / "other")
    remove_left_behind(parent)
    assert (parent / "other" / "file").exists()


def test_a_missing_folder_is_no_error(tmp_path: Path) -> None:
    remove_left_behind(tmp_path / "missing")
