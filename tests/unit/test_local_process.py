"""The process that stands for the container, from outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.local.process import Entry, EntryError, container_environ, find_entry


def test_a_folder_with_a_main(tmp_path: Path) -> None:
    (tmp_path / "main.py").touch()
    assert find_entry(tmp_path) == Entry(tmp_path, "main.py")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "alg.py").touch()
    assert find_entry(tmp_path / "alg.py") == Entry(tmp_path, "alg.py")


def test_a_path_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").touch()
    monkeypatch.chdir(tmp_path)
    assert find_entry(Path()) == find_entry(Path("main.py")) == Entry(tmp_path, "main.py")


def test_paths_that_are_no_algorithm(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(EntryError, match="has no main.py; give the file that holds `start`"):
        find_entry(tmp_path)
    with pytest.raises(EntryError, match="none.py does not exist"):
        find_entry(tmp_path / "none.py")
    with pytest.raises(EntryError, match="neither a folder nor a .py file"):
        find_entry(tmp_path / "notes.txt")


def test_the_container_is_told_of_worker_and_algorithm(tmp_path: Path) -> None:
    environ = {
        "PATH": "/bin",
        "HKUBE_LOG_LEVEL": "DEBUG",
        "WORKER_SOCKET_URL": "ws://cluster/",
        "WORKER_SOCKET_PORT": "3000",
        "DEV_MODE": "true",
    }
    assert container_environ(Entry(Path("/alg"), "main.py"), 4321, environ, tmp_path) == {
        "PATH": "/bin",
        "HKUBE_LOG_LEVEL": "DEBUG",
        "ALGO_METRICS_DIR": str(tmp_path / "metrics"),
        "WORKER_SOCKET_HOST": "127.0.0.1",
        "WORKER_SOCKET_PORT": "4321",
        "WORKER_RECONNECT_TIMEOUT": "5",
        "ALGORITHM_PATH": "/alg",
        "ALGORITHM_ENTRY_POINT": "main.py",
    }
