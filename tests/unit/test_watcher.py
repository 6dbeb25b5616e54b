"""DEV_MODE: changes of files are noticed."""

from __future__ import annotations

import os
import select
import time
from pathlib import Path
from threading import Event

from wrapper.log import Log
from wrapper.supervisor.watcher import watch_in_thread

LIMIT = 20.0


def change_until(changed: Event, path: Path) -> None:
    """Change a file until that is noticed: nothing tells when watching has begun."""
    deadline = time.monotonic() + LIMIT
    number = 0
    while not changed.wait(0.3):
        assert time.monotonic() < deadline, "no change was noticed"
        number += 1
        path.write_text(f"x = {number}\n")


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("error"))

    change_until(changed, tmp_path / "main.py")


def test_a_change_deep_in_the_folder_is_noticed_time_after_time(tmp_path: Path) -> None:
    folder = tmp_path / "src" / "alg"
    folder.mkdir(parents=True)
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("error"))

    for name in ("main.py", "helper.py"):
        changed.clear()
        change_until(changed, folder / name)


def test_what_python_compiles_is_no_change(tmp_path: Path) -> None:
    """Else loading the algorithm would be a reason to load it again."""
    cache = tmp_path / "__pycache__"
    cache.mkdir()
    reading, writing = os.pipe()
    changed = Event()
    watch_in_thread(str(tmp_path), changed.set, Log("debug", fd=writing))
    change_until(changed, tmp_path / "main.py")
    changed.clear()

    (cache / "main.cpython-311.pyc").write_text("compiled")
    change_until(changed, tmp_path / "other.py")

    text = os.read(reading, 65536).decode()
    os.close(reading)
    assert "main.py" in text
    assert ".pyc" not in text


def test_what_cannot_be_watched_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        watch_in_thread(str(tmp_path / "missing"), lambda: None, Log("error", fd=writing))

        assert select.select([reading], [], [], LIMIT)[0]
        assert "are no longer noticed" in os.read(reading, 65536).decode()
    finally:
        os.close(reading)
        os.close(writing)
