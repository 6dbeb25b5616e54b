"""Saves of an algorithm's files are noticed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from wrapper.local.run.watch import Watch, WatchError

LIMIT = 30.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "alg"
    path.mkdir()
    (path / "main.py").write_text("old")
    return path


def next_save(watch: Watch) -> threading.Event:
    """Return an event that is set at the next save."""
    event = threading.Event()
    watch.on_save(event.set)
    return event


def test_each_save_of_code_is_noticed(folder: Path) -> None:
    with Watch(folder) as watch:
        for number in range(2):
            event = next_save(watch)
            (folder / "main.py").write_text(f"new {number}")
            assert event.wait(LIMIT)
            assert watch.wait() == os.path.relpath(folder / "main.py")
            assert not watch.saved


@pytest.mark.parametrize(
    ("pattern", "file", "is_noticed"),
    [
        ("*.csv", "deep/data.csv", True),
        ("deep/*", "deep/data.csv", True),
        ("deep/*.csv", "data.csv", False),
        ("*.csv", "data.txt", False),
    ],
)
def test_patterns_add_other_files(folder: Path, pattern: str, file: str, is_noticed: bool) -> None:
    (folder / "deep").mkdir()
    watch = Watch(folder, patterns=[pattern])
    (folder / file).write_text("1")
    if not is_noticed:
        os.utime(folder / "main.py", (1, 1))  # noticed in its place
    event = next_save(watch)
    with watch:
        assert event.wait(LIMIT)
        expected = file if is_noticed else "main.py"
        assert watch.wait() == os.path.relpath(folder / expected)


def test_save_before_the_watch_stood_is_noticed(folder: Path) -> None:
    watch = Watch(folder)
    os.utime(folder / "main.py", (1, 1))
    event = next_save(watch)
    with watch:
        assert event.wait(LIMIT)


def test_save_of_a_single_file_before_the_watch_stood_is_noticed(
    folder: Path, tmp_path: Path
) -> None:
    watch = Watch(folder, [tmp_path / "input.json"])
    (tmp_path / "input.json").write_text("[1]")
    event = next_save(watch)
    with watch:
        assert event.wait(LIMIT)


def test_earlier_save_is_reported_immediately(folder: Path) -> None:
    with Watch(folder) as watch:
        first = next_save(watch)
        (folder / "main.py").write_text("new")
        assert first.wait(LIMIT)
        assert next_save(watch).is_set()


def test_save_is_not_reported_to_a_later_callback(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a save would interrupt the run that it triggered."""
    reported: list[str] = []
    with Watch(folder) as watch:
        set_saved, watched, taken = watch._saved.set, threading.Event(), threading.Event()

        def set_slowly() -> None:
            set_saved()
            watched.set()
            taken.wait(0.5)  # meanwhile the main thread continues

        monkeypatch.setattr(watch._saved, "set", set_slowly)
        first = next_save(watch)
        (folder / "main.py").write_text("new")
        assert watched.wait(LIMIT)
        watch.wait()
        watch.on_save(lambda: reported.append("again"))
        taken.set()
        assert first.wait(LIMIT)
    assert reported == []


def test_single_file_elsewhere_is_watched(folder: Path, tmp_path: Path) -> None:
    beside = tmp_path / "input.json"
    beside.write_text("[1]")
    with Watch(folder, [beside]) as watch:
        event = next_save(watch)
        beside.write_text("[2]")
        assert event.wait(LIMIT)


def test_files_that_the_algorithm_writes_are_ignored(folder: Path, tmp_path: Path) -> None:
    reported: list[str] = []
    with Watch(folder, [tmp_path / "input.json"]) as watch:
        event = threading.Event()

        def report() -> None:
            reported.append("saved")
            event.set()

        watch.on_save(report)
        (folder / "result.csv").write_text("1,2")
        (tmp_path / "other.py").write_text("x")
        (folder / "main.py").write_text("new")  # written after the others
        assert event.wait(LIMIT)
    assert reported == ["saved"]


def test_subfolders_beside_a_single_file_are_ignored(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    with Watch(folder, [tmp_path / "input.json"]) as watch:
        event = next_save(watch)
        odd = os.fsencode(tmp_path / "deep") + b"/\xff.py"  # watchfiles cannot decode this name
        with open(odd, "wb") as file:
            file.write(b"x")
        (tmp_path / "input.json").write_text("[1]")
        assert event.wait(LIMIT)


def test_file_name_that_is_not_text_does_not_end_the_watch(folder: Path) -> None:
    with Watch(folder) as watch:
        event = next_save(watch)
        with open(os.fsencode(folder) + b"/\xff.bin", "wb") as file:
            file.write(b"x")
        written = 0
        while not event.wait(0.5) and written < LIMIT / 0.5:
            written += 1
            (folder / "main.py").write_text(f"new {written}")
        assert event.is_set()


def remake(folder: Path, text: str) -> None:
    (folder / "main.py").unlink()
    folder.rmdir()
    folder.mkdir()
    (folder / "main.py").write_text(text)


@pytest.mark.parametrize("how", ["deleted", "replaced", "moved away and back"])
def test_replaced_folder_is_watched_again(folder: Path, tmp_path: Path, how: str) -> None:
    away = tmp_path / "away"
    with Watch(folder) as watch:
        for number in range(2):
            event = next_save(watch)
            if how == "moved away and back":
                folder.rename(away)
                assert not folder.exists()
                away.rename(folder)
                (folder / "main.py").write_text(f"new {number}")
            elif how == "deleted":
                remake(folder, f"new {number}")
            else:
                (tmp_path / "next").mkdir()
                (tmp_path / "next" / "main.py").write_text(f"new {number}")
                folder.rename(tmp_path / f"old {number}")
                (tmp_path / "next").rename(folder)
            assert event.wait(LIMIT)
            watch.wait()


def test_saves_in_a_replaced_folder_are_noticed(folder: Path) -> None:
    with Watch(folder) as watch:
        event = next_save(watch)
        remake(folder, "new")
        assert event.wait(LIMIT)
        saved_until(watch, folder / "main.py")


def saved_until(watch: Watch, path: Path) -> None:
    """Save a file several times; an earlier save may be noticed late."""
    text = path.read_text()
    for number in range(3):
        watch.wait()
        event = next_save(watch)
        path.write_text(f"{text} {number}")
        assert event.wait(LIMIT)


def test_folder_that_is_created_later_is_watched(folder: Path, tmp_path: Path) -> None:
    others = [tmp_path / "algorithms", tmp_path / "pipelines"]
    with Watch(folder, others=others) as watch:
        event = next_save(watch)
        (folder / "main.py").write_text("new")  # existing folders are watched meanwhile
        assert event.wait(LIMIT)
        watch.wait()
        event = next_save(watch)
        (tmp_path / "pipelines").mkdir()
        assert event.wait(LIMIT)
        assert not watch._error


@pytest.mark.parametrize("name", ["a/main.py", "a/algorithm.json", "pipeline.json", "a.yml"])
def test_saves_in_other_folders_are_noticed(folder: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    (other / "a").mkdir(parents=True)
    with Watch(folder, others=[other]) as watch:
        for number in range(2):
            event = next_save(watch)
            (other / "a" / "result.json").write_text("[1]")
            (other / name).write_text(f"new {number}")
            assert event.wait(LIMIT)
            watch.wait()


def test_save_in_another_folder_before_the_watch_stood_is_noticed(
    folder: Path, tmp_path: Path
) -> None:
    watch = Watch(folder, others=[tmp_path])
    (tmp_path / "pipeline.json").write_text("{}")
    event = next_save(watch)
    with watch:
        assert event.wait(LIMIT)


def test_unwatchable_folder_is_reported(tmp_path: Path) -> None:
    with (
        Watch(tmp_path / "none") as watch,
        pytest.raises(
            WatchError, match=r"cannot notice saves in .*none: the folder does not exist"
        ),
    ):
        watch.wait()
