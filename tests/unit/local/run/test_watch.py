"""Noticing that an algorithm's files were saved."""

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


def heard(watch: Watch) -> threading.Event:
    """An event that is set at the next save."""
    event = threading.Event()
    watch.on_save(event.set)
    return event


def test_saves_of_code_are_noticed_one_after_the_other(folder: Path) -> None:
    with Watch(folder) as watch:
        for number in range(2):
            event = heard(watch)
            (folder / "main.py").write_text(f"new {number}")
            assert event.wait(LIMIT)
            watch.wait()
            assert not watch.saved


def test_a_save_before_the_watch_stood_is_noticed(folder: Path) -> None:
    watch = Watch(folder)
    os.utime(folder / "main.py", (1, 1))
    event = heard(watch)
    with watch:
        assert event.wait(LIMIT)


def test_a_save_of_a_single_file_before_the_watch_stood_is_noticed(
    folder: Path, tmp_path: Path
) -> None:
    watch = Watch(folder, [tmp_path / "input.json"])
    (tmp_path / "input.json").write_text("[1]")
    event = heard(watch)
    with watch:
        assert event.wait(LIMIT)


def test_a_save_that_came_already_is_told_at_once(folder: Path) -> None:
    with Watch(folder) as watch:
        first = heard(watch)
        (folder / "main.py").write_text("new")
        assert first.wait(LIMIT)
        assert heard(watch).is_set()


def test_a_save_is_not_told_to_who_listens_after_it_was_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the run that begins because of a save would be broken off by the same save."""
    told: list[str] = []
    with Watch(folder) as watch:
        set_saved, watched, taken = watch._saved.set, threading.Event(), threading.Event()

        def set_and_dawdle() -> None:
            set_saved()
            watched.set()
            taken.wait(0.5)  # the main thread may do what it likes meanwhile

        monkeypatch.setattr(watch._saved, "set", set_and_dawdle)
        first = heard(watch)
        (folder / "main.py").write_text("new")
        assert watched.wait(LIMIT)
        watch.wait()
        watch.on_save(lambda: told.append("again"))
        taken.set()
        assert first.wait(LIMIT)
    assert told == []


def test_files_beside_the_folder(folder: Path, tmp_path: Path) -> None:
    beside = tmp_path / "input.json"
    beside.write_text("[1]")
    with Watch(folder, [beside]) as watch:
        event = heard(watch)
        beside.write_text("[2]")
        assert event.wait(LIMIT)


def test_what_the_algorithm_writes_is_not_looked_at(folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    with Watch(folder, [tmp_path / "input.json"]) as watch:
        event = threading.Event()

        def tell() -> None:
            told.append("saved")
            event.set()

        watch.on_save(tell)
        (folder / "result.csv").write_text("1,2")
        (tmp_path / "other.py").write_text("x")
        (folder / "main.py").write_text("new")  # comes after the others
        assert event.wait(LIMIT)
    assert told == ["saved"]


def test_what_lies_below_the_folder_of_a_file_is_not_looked_at(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    with Watch(folder, [tmp_path / "input.json"]) as watch:
        event = heard(watch)
        odd = os.fsencode(tmp_path / "deep") + b"/\xff.py"  # which watchfiles cannot tell
        with open(odd, "wb") as file:
            file.write(b"x")
        (tmp_path / "input.json").write_text("[1]")
        assert event.wait(LIMIT)


def test_a_file_whose_name_is_no_text_does_not_end_the_watch(folder: Path) -> None:
    with Watch(folder) as watch:
        event = heard(watch)
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
def test_a_folder_that_is_made_anew(folder: Path, tmp_path: Path, how: str) -> None:
    away = tmp_path / "away"
    with Watch(folder) as watch:
        for number in range(2):
            event = heard(watch)
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


def test_what_is_saved_after_a_folder_was_made_anew(folder: Path) -> None:
    with Watch(folder) as watch:
        event = heard(watch)
        remake(folder, "new")
        assert event.wait(LIMIT)
        saved_until(watch, folder / "main.py")


def saved_until(watch: Watch, path: Path) -> None:
    """Save a file until that is noticed: what was saved before is noticed late, perhaps."""
    text = path.read_text()
    for number in range(3):
        watch.wait()
        event = heard(watch)
        path.write_text(f"{text} {number}")
        assert event.wait(LIMIT)


def test_a_folder_that_comes_later(folder: Path, tmp_path: Path) -> None:
    others = [tmp_path / "algorithms", tmp_path / "pipelines"]
    with Watch(folder, others=others) as watch:
        event = heard(watch)
        (folder / "main.py").write_text("new")  # what is there is watched all the same
        assert event.wait(LIMIT)
        watch.wait()
        event = heard(watch)
        (tmp_path / "pipelines").mkdir()
        assert event.wait(LIMIT)
        assert not watch._fault


@pytest.mark.parametrize("name", ["a/main.py", "a/algorithm.json", "pipeline.json", "a.yml"])
def test_other_folders(folder: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / "other"
    (other / "a").mkdir(parents=True)
    with Watch(folder, others=[other]) as watch:
        for number in range(2):
            event = heard(watch)
            (other / "a" / "result.json").write_text("[1]")
            (other / name).write_text(f"new {number}")
            assert event.wait(LIMIT)
            watch.wait()


def test_a_save_in_another_folder_before_the_watch_stood_is_noticed(
    folder: Path, tmp_path: Path
) -> None:
    watch = Watch(folder, others=[tmp_path])
    (tmp_path / "pipeline.json").write_text("{}")
    event = heard(watch)
    with watch:
        assert event.wait(LIMIT)


def test_a_folder_that_cannot_be_watched(tmp_path: Path) -> None:
    with (
        Watch(tmp_path / "none") as watch,
        pytest.raises(WatchError, match=r"saves in .*none cannot be noticed: it is not there"),
    ):
        watch.wait()
