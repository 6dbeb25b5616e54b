"""Folders that may be deleted, replaced or created while they are watched."""

from __future__ import annotations

from pathlib import Path

from wrapper.local.run.watched_folders import HeldFolders


def test_created_deleted_and_replaced_folders_have_changed(tmp_path: Path) -> None:
    kept, deleted, created, replaced = (
        tmp_path / name for name in ("kept", "deleted", "created", "replaced")
    )
    for folder in (kept, deleted, replaced):
        folder.mkdir()
    with HeldFolders([str(each) for each in (kept, deleted, created, replaced)]) as held:
        assert held.present == {str(kept), str(deleted), str(replaced)}
        assert held.changed() == set()
        (kept / "main.py").touch()
        deleted.rmdir()
        created.mkdir()
        for _ in range(20):  # many file systems reuse the inode of the last one
            replaced.rmdir()
            replaced.mkdir()
        assert held.changed() == {str(deleted), str(created), str(replaced)}
    assert held.present == {str(kept), str(deleted), str(replaced)}


def test_file_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with HeldFolders([str(tmp_path / "file")]) as held:
        assert held.present == set()
