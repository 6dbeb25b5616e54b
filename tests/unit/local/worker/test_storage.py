"""HKube's part of storage mode v3, in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import EncodingError, StorageError
from wrapper.local.worker.answers import Call, CallKind, Failure, Result
from wrapper.local.worker.job import make_job
from wrapper.local.worker.storage import LocalStorage, local_storage
from wrapper.storage.format.references import references


def call(kind: CallKind = CallKind.ALGORITHM, **body: Any) -> Call:
    return Call(kind, "1", "other", body.get("input"), True, body)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


def test_inputs_are_stored_and_referenced(storage: LocalStorage) -> None:
    job = storage.stored_job(make_job([{"a": 1}, b"raw"], "alg"))
    assert list(job["flatInput"]) == ["0", "1"] and job["input"] == list(job["flatInput"].values())
    values = []
    for reference in references(job, "local"):
        (link,) = reference.links
        values.append(storage.result_of({"storageInfo": {"path": link.path, "size": link.size}}))
    assert values == [{"a": 1}, b"raw"]
    with pytest.raises(EncodingError, match="input"):
        storage.stored_job(make_job([{1}], "alg"))


@pytest.mark.parametrize("storing", [None, {}, {"storageInfo": 5}, {"storageInfo": {"path": ".."}}])
def test_missing_result(storage: LocalStorage, storing: object) -> None:
    with pytest.raises(StorageError):
        storage.result_of(storing)


def test_stored_input_of_a_call(storage: LocalStorage) -> None:
    job = storage.stored_job(make_job([[1], "x"], "alg"))
    asked = call(storageInput=list(job["flatInput"].values()), storage=job["storage"])
    assert storage.call_with_input(asked).input == [[1], "x"]
    with pytest.raises(StorageError, match="no link"):
        storage.call_with_input(call(storageInput=["$$gone"]))
    for other in (call(input=[1]), call(CallKind.RAW_PIPELINE, storageInput=["$$x"])):
        assert storage.call_with_input(other) is other


def test_replies_are_stored_except_for_data_sources(storage: LocalStorage) -> None:
    reply = storage.stored_reply(call(), Result([1]), "local:j")
    assert isinstance(reply, Result)
    assert storage.result_of(reply.value) == [1]
    source = call(CallKind.DATA_SOURCE)
    assert storage.stored_reply(source, Result([1]), "local:j") == Result([1])
    assert storage.stored_reply(call(), Failure("no"), "local:j") == Failure("no")


def test_storage_folder(tmp_path: Path) -> None:
    with local_storage(None, {}) as none:
        assert none is None
    with local_storage("fs", {"BASE_FS_ADAPTER_DIRECTORY": str(tmp_path)}) as named:
        assert named is not None and named.folder == tmp_path
    with local_storage("fs", {}) as own:
        assert own is not None and own.folder.is_dir()
    assert tmp_path.is_dir() and not own.folder.exists()
