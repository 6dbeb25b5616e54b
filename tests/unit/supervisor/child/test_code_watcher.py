"""DEV_MODE: changes to code are noticed."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from threading import Event

import pytest

from wrapper.log import Log
from wrapper.supervisor.child.code_watcher import take_snapshot, watch_in_thread

LIMIT = 20.0


def change_until(changed: Event, path: Path) -> None:
    """Change a file until that is noticed: nothing shows when the watch stands."""
    deadline = time.monotonic() + LIMIT
    number = 0
    while not changed.wait(0.3):
        assert time.monotonic() < deadline, "no change was noticed"
        number += 1
        path.write_text(f"x = {number}\n")


def test_changed_file_is_noticed(tmp_path: Path) -> None:
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("error"))

    change_until(changed, tmp_path / "main.py")


def test_repeated_changes_in_a_subfolder_are_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "alg"
    folder.mkdir(parents=True)
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("error"))

    for name in ("main.py", "helper.py"):
        changed.clear()
        change_until(changed, folder / name)


@pytest.mark.parametrize("name", ["__pycache__/main.cpython-311.pyc", "result.csv", "log.txt"])
def test_other_files_are_ignored(tmp_path: Path, name: str) -> None:
    """Otherwise loading or running the algorithm would reload it."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    reading, writing = os.pipe()
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("debug", fd=writing))
    change_until(changed, tmp_path / "main.py")
    changed.clear()

    path.write_text("written")
    change_until(changed, tmp_path / "other.py")

    text = os.read(reading, 65536).decode()
    os.close(reading)
    assert "main.py" in text
    assert path.name not in text


def test_file_name_that_is_not_text_does_not_end_the_watch(tmp_path: Path) -> None:
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("error"))
    change_until(changed, tmp_path / "main.py")
    changed.clear()

    with open(os.fsencode(tmp_path) + b"/\xff.bin", "wb") as file:
        file.write(b"x")
    change_until(changed, tmp_path / "main.py")


def test_edit_before_the_watch_stood_is_noticed(tmp_path: Path) -> None:
    """The algorithm has loaded the files of the snapshot."""
    (tmp_path / "main.py").write_text("x = 1")
    snapshot = take_snapshot(str(tmp_path))
    (tmp_path / "helper.py").write_text("y = 2")
    changed = Event()

    watch_in_thread(str(tmp_path), changed.set, Log("error"), snapshot)

    assert changed.wait(LIMIT)


def test_snapshot_holds_only_code_and_settings(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for name in ("main.py", "settings.yaml", "data.csv", "__pycache__/main.cpython-311.pyc"):
        (tmp_path / name).write_text("")
    (tmp_path / "gone.py").symlink_to(tmp_path / "missing.py")

    found = take_snapshot(str(tmp_path))

    assert sorted(os.path.basename(file) for file in found) == ["main.py", "settings.yaml"]


def test_unwatchable_folder_is_reported(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        watch_in_thread(str(tmp_path / "missing"), lambda: None, Log("error", fd=writing))

        assert select.select([reading], [], [], LIMIT)[0]
        assert "DEV_MODE: cannot watch" in os.read(reading, 65536).decode()
    finally:
        os.close(reading)
        os.close(writing)
