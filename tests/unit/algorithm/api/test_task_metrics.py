"""The folder for TensorBoard files, before each task."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from wrapper.algorithm.api.task_metrics import EMPTY, KEEP, PER_TASK, TaskMetrics

JOB: dict[str, Any] = {"pipelineName": "p", "nodeName": "n", "jobId": "p:1.p", "taskId": "t"}


def left_by_a_task(folder: Path) -> None:
    (folder / "run" / "deep").mkdir(parents=True)
    (folder / "run" / "deep" / "events").write_text("x")
    (folder / "events").write_text("x")
    (folder / "link").symlink_to(folder.parent)


def test_files_of_the_task_before_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    metrics = TaskMetrics(str(folder), EMPTY)
    assert metrics.prepare(JOB) == str(folder)
    left_by_a_task(folder)
    (tmp_path / "beside").write_text("x")
    assert metrics.prepare(JOB) == str(folder)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "beside").exists()


def test_files_of_an_earlier_process_are_removed_and_those_of_the_import_stay(
    tmp_path: Path,
) -> None:
    (tmp_path / "m").mkdir()
    old = tmp_path / "m" / "old"
    old.write_text("x")
    os.utime(old, (1000, 1000))
    metrics = TaskMetrics(str(tmp_path / "m"), EMPTY)
    by_import = tmp_path / "m" / "by import"
    by_import.write_text("x")
    os.utime(by_import, (by_import.stat().st_mtime + 5,) * 2)
    metrics.prepare(JOB)
    assert list((tmp_path / "m").iterdir()) == [by_import]
    metrics.prepare(JOB)
    assert list((tmp_path / "m").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists a process's open files")
def test_file_that_is_open_stays(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    metrics = TaskMetrics(str(folder), EMPTY)
    metrics.prepare(JOB)
    left_by_a_task(folder)
    with (folder / "run" / "writer").open("w"):
        metrics.prepare(JOB)
        assert [path.name for path in folder.rglob("*")] == ["run", "writer"]


def test_nothing_is_removed_if_the_setting_says_so(tmp_path: Path) -> None:
    metrics = TaskMetrics(str(tmp_path / "m"), KEEP)
    metrics.prepare(JOB)
    left_by_a_task(tmp_path / "m")
    metrics.prepare(JOB)
    assert (tmp_path / "m" / "run" / "deep" / "events").exists()


@pytest.mark.parametrize("code", ["m", "m/code"])
def test_folder_that_holds_the_code_is_never_emptied(tmp_path: Path, code: str) -> None:
    folder = tmp_path / code
    folder.mkdir(parents=True)
    (folder / "main.py").write_text("x")
    metrics = TaskMetrics(str(tmp_path / "m"), EMPTY, (str(folder),))
    for _ in range(2):
        metrics.prepare(JOB)
    assert (folder / "main.py").exists()


@pytest.mark.parametrize("folder", ["/", "/tmp", "/var/", "/home"])
def test_shared_folder_is_never_emptied(folder: str) -> None:
    assert TaskMetrics(folder, EMPTY)._mode == KEEP


def test_each_task_may_have_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGO_METRICS_DIR", str(tmp_path))
    metrics = TaskMetrics(str(tmp_path), PER_TASK)
    folder = metrics.prepare(JOB)
    assert Path(folder) == tmp_path / "p" / "n" / "p:1.p" / "t"
    assert Path(folder).is_dir()
    assert os.environ["ALGO_METRICS_DIR"] == folder


@pytest.mark.parametrize("name", ["..", ".", "", "a/../../b", "/abs", None, 5, "\0"])
def test_no_id_leads_out_of_the_folder(
    tmp_path: Path, name: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALGO_METRICS_DIR", str(tmp_path))
    job = dict.fromkeys(JOB, name)
    folder = Path(TaskMetrics(str(tmp_path), PER_TASK).prepare(job))
    assert folder.relative_to(tmp_path).parts == folder.parts[-4:]
    assert ".." not in folder.parts
    assert folder.is_dir()


def test_folder_that_cannot_be_made_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert TaskMetrics(str(tmp_path / "file" / "m"), EMPTY).prepare(JOB).endswith("/m")
