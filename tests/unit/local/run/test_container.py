"""The process that replaces a container."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from wrapper.local.run.container import AlgorithmContainer, container_environ
from wrapper.local.source.source import AlgorithmSource
from wrapper.local.worker.admission import run_token
from wrapper.local.worker.storage import LocalStorage


def test_reserved_memory_is_that_for_peers_unless_set(tmp_path: Path) -> None:
    source = AlgorithmSource("alg", Path("/alg"), peer_memory=300 * 1024**2)
    name = "DISCOVERY_MAX_CACHE_SIZE"
    assert container_environ(source, 1, {}, tmp_path)[name] == "300"
    assert container_environ(source, 1, {name: "5"}, tmp_path)[name] == "5"


def test_environment_of_the_container(tmp_path: Path) -> None:
    environ = {
        "PATH": "/bin",
        "HKUBE_LOG_LEVEL": "DEBUG",
        "WORKER_SOCKET_URL": "ws://cluster/",
        "WORKER_SOCKET_PORT": "3000",
        "DEV_MODE": "true",
        "WORKER_SOCKET_PROTOCOL": "wss",
    }
    own = {"MODEL": "small", "WORKER_ALGORITHM_PROTOCOL": "socket"}  # for the cluster's worker
    source = AlgorithmSource("alg", Path("/alg"), "main.py", own)
    assert container_environ(source, 4321, environ, tmp_path) == {
        "PATH": "/bin",
        "HKUBE_LOG_LEVEL": "DEBUG",
        "HKUBE_LOG_FORMAT": "short",
        "HKUBE_LOG_FAILURES": "false",
        "ALGO_METRICS_DIR": str(tmp_path / "metrics"),
        "HKUBE_METRICS_FILES": "keep",
        "WORKER_ALGORITHM_PROTOCOL": "ws",
        "WORKER_SOCKET_PROTOCOL": "ws",
        "WORKER_SOCKET_HOST": "127.0.0.1",
        "WORKER_SOCKET_PORT": "4321",
        "WORKER_SOCKET_TOKEN": run_token(),
        "WORKER_RECONNECT_TIMEOUT": "5",
        "WORKER_FIRST_INITIALIZED_DELAY": "0",
        "MODEL": "small",
        "ALGORITHM_PATH": "/alg",
        "ALGORITHM_ENTRY_POINT": "main.py",
        "STORAGE_PROTOCOL": "v1",
    }
    # Without --storage, the user's own settings, for example a cluster's, are left alone.
    cluster = {"DEFAULT_STORAGE": "s3", "STORAGE_PROTOCOL": "v3"}
    assert container_environ(source, 1, cluster, tmp_path)["STORAGE_PROTOCOL"] == "v1"
    storage = LocalStorage(tmp_path / "storage")
    environment = container_environ(source, 1, cluster, tmp_path, storage)
    assert (environment["STORAGE_PROTOCOL"], environment["DEFAULT_STORAGE"]) == ("v3", "fs")
    assert environment["BASE_FS_ADAPTER_DIRECTORY"] == str(tmp_path / "storage")


def test_container_that_cannot_start_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = AlgorithmSource("alg", tmp_path / "none")
    with pytest.raises(FileNotFoundError), AlgorithmContainer(source, 1, os.environ):
        pass
    assert not list(tmp_path.iterdir())
