"""Calls of HKubeApi whose inputs and answers are in the storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from wrapper.algorithm.api.call import ALGORITHM, ApiCall
from wrapper.algorithm.api.future import CallFuture
from wrapper.algorithm.api.stored_calls import StoredCalls
from wrapper.config.settings import Config
from wrapper.errors import StorageError
from wrapper.storage.task_storage import TaskStorage

CALL = ApiCall("1", ALGORITHM, "adds")


@pytest.fixture
def stored(tmp_path: Path) -> StoredCalls:
    config = Config.from_environ({"BASE_FS_ADAPTER_DIRECTORY": str(tmp_path)}, "/")
    storage = TaskStorage(config.storage, config.discovery, lambda line: None)
    return StoredCalls(storage, "main:job")


def test_inputs_are_stored_and_referenced(stored: StoredCalls) -> None:
    message = stored.start_algorithm(CALL, [[1], {"a": 2}])
    data = message["data"]
    keys = [key.removeprefix("$$") for key in data["storageInput"]]
    values = [stored.fetch(data["storage"][key]) for key in keys]
    assert values == [[1], {"a": 2}]
    assert (data["execId"], data["algorithmName"]) == ("1", "adds")


def test_a_future_fetches_its_result(stored: StoredCalls) -> None:
    data = stored.start_algorithm(CALL, ["value"])["data"]
    (link,) = data["storage"].values()
    future = CallFuture(CALL, lambda call_id: True, lambda line: None, stored.fetch)
    future.end(link, None)
    assert future.result(10) == "value"
    gone = CallFuture(CALL, lambda call_id: True, lambda line: None, stored.fetch)
    gone.end({"storageInfo": {"path": "local-hkube/gone/x"}}, None)
    with pytest.raises(StorageError, match="the answer cannot be read from local-hkube/gone/x"):
        gone.result(10)


def test_a_future_fails_if_no_thread_can_fetch_its_result(
    stored: StoredCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Thread

    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    future = CallFuture(CALL, lambda call_id: True, lambda line: None, stored.fetch)
    monkeypatch.setattr(Thread, "start", refuse)
    future.end({"storageInfo": {"path": "b/k"}}, None)
    with pytest.raises(StorageError, match="can't start new thread"):
        future.result(0)


def test_a_job_without_an_id_gets_an_empty_prefix(stored: StoredCalls, tmp_path: Path) -> None:
    config = Config.from_environ({"BASE_FS_ADAPTER_DIRECTORY": str(tmp_path)}, "/")
    storage = TaskStorage(config.storage, config.discovery, lambda line: None)
    with pytest.raises(StorageError, match="its path"):
        StoredCalls(storage, None).start_algorithm(CALL, [1])
