"""Folders that may be deleted and made anew while they are looked at."""

from __future__ import annotations

from pathlib import Path

from wrapper.local.run.watched_folders import Places


def test_what_becomes_of_folders(tmp_path: Path) -> None:
    stays, goes, comes, anew = (tmp_path / name for name in ("stays", "goes", "comes", "anew"))
    for folder in (stays, goes, anew):
        folder.mkdir()
    with Places(map(str, (stays, goes, comes, anew))) as places:
        assert places.there == {str(stays), str(goes), str(anew)}
        assert places.changed() == set()
        (stays / "main.py").touch()
        goes.rmdir()
        comes.mkdir()
        for _ in range(20):  # many file systems give the number of the last one again
            anew.rmdir()
            anew.mkdir()
        assert places.changed() == {str(goes), str(comes), str(anew)}
    assert places.there == {str(stays), str(goes), str(anew)}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Places([str(tmp_path / "file")]) as places:
        assert places.there == set()
