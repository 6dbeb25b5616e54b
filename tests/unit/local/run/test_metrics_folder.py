"""The folder for metrics of a local run."""

from __future__ import annotations

import shutil
from pathlib import Path

from wrapper.local.run.metrics_folder import metrics_folder


def test_folder_with_files_is_kept_and_shown() -> None:
    said: list[str] = []
    with metrics_folder("my/alg", {"A": "1"}, said.append) as environ:
        folder = Path(environ["ALGO_METRICS_DIR"])
        assert environ["A"] == "1" and folder.is_dir()
        (folder / "run").mkdir()
        (folder / "run" / "events").write_text("x")
    assert said == [f"the algorithm wrote metrics; to see them: tensorboard --logdir {folder}"]
    assert "hkube-metrics-my-alg-" in folder.name
    shutil.rmtree(folder)


def test_empty_folder_is_removed() -> None:
    said: list[str] = []
    with metrics_folder("a", {}, said.append) as environ:
        (Path(environ["ALGO_METRICS_DIR"]) / "empty").mkdir()
    assert not Path(environ["ALGO_METRICS_DIR"]).exists()
    assert said == []


def test_folder_of_the_user_is_used() -> None:
    given = {"ALGO_METRICS_DIR": "/somewhere"}
    with metrics_folder("a", given, print) as environ:
        assert environ == given


def test_chosen_folder_stays_without_the_empty_folders_of_tasks(tmp_path: Path) -> None:
    said: list[str] = []
    chosen = tmp_path / "kept"
    given = {"ALGO_METRICS_DIR": "/elsewhere"}
    with metrics_folder("a", given, said.append, chosen) as environ:
        assert environ["ALGO_METRICS_DIR"] == str(chosen)
        assert environ["HKUBE_METRICS_FILES"] == "per-task"
        (chosen / "p" / "n" / "j" / "empty").mkdir(parents=True)
        (chosen / "p" / "n" / "j" / "t").mkdir()
        (chosen / "p" / "n" / "j" / "t" / "events").write_text("x")
    assert [path.name for path in (chosen / "p" / "n" / "j").iterdir()] == ["t"]
    assert said == [f"the algorithm wrote metrics; to see them: tensorboard --logdir {chosen}"]
