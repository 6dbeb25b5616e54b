"""Storing results and inputs: the order of messages, and failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import EncodingError, StorageError
from wrapper.storage.format.encoded import decode_value
from wrapper.storage.results import Hold, Holding, ResultOrigin, Sink, store_inputs, store_result
from wrapper.storage.stores.file_store import FileStore
from wrapper.storage.stores.retries import Retries

SOURCE = ResultOrigin("j", "t", "green", ["green.a"])
PATH = "local-hkube/j/t"


class Bench:
    """A sink, with the messages that were sent."""

    def __init__(self, folder: Path, hold: Hold | None = None) -> None:
        self.folder = folder
        self.store = FileStore(str(folder))
        self.sink = Sink(
            self.store, Retries(0, lambda line: None), hold, "msgpack", "local", lambda line: None
        )
        self.sent: list[tuple[Mapping[str, Any], bytes, bool]] = []

    def run(self, result: Any, source: ResultOrigin = SOURCE) -> Mapping[str, Any] | None:
        return store_result(source, [result].pop, self.sink, self.send)

    def send(self, message: Mapping[str, Any], note: bytes) -> None:
        self.sent.append((message, note, (self.folder / PATH).exists()))


def test_result_is_reported_with_the_final_message(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    report = bench.run({"a": [1]})
    data = {
        "storageInfo": {"path": PATH, "size": 5},
        "metadata": {"green.a": {"type": "array", "size": 1}},
    }
    assert report == {"command": "storing", "data": data}
    assert bench.sent == []
    assert decode_value(bench.store.read(PATH), "msgpack") == {"a": [1]}


def test_held_result_is_reported_before_it_is_stored(tmp_path: Path) -> None:
    held: list[tuple[str, Any]] = []
    discovery = {"host": "10.0.0.1", "port": "9020"}

    def hold(task_id: str, encoded: Any) -> Holding:
        held.append((task_id, bytes(encoded.payload)))
        return Holding(discovery, b"note")

    bench = Bench(tmp_path, hold)
    assert bench.run([1]) is None
    assert held == [("t", b"\x91\x01")]
    ((message, note, written),) = bench.sent
    assert not written
    assert note == b"note"
    assert message["data"]["discovery"] == discovery
    assert message["data"]["taskId"] == "t"
    assert decode_value(bench.store.read(PATH), "msgpack") == [1]


def test_result_that_is_not_held_is_reported_with_the_final_message(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lambda task_id, encoded: None)
    report = bench.run([1])
    assert report is not None and "discovery" not in report["data"]
    assert bench.sent == []


def test_failed_write_names_size_and_path(tmp_path: Path) -> None:
    (tmp_path / "local-hkube").write_text("in the way")
    bench = Bench(tmp_path)
    with pytest.raises(
        StorageError, match=rf"^the result \(2 bytes\) cannot be stored at {PATH}: "
    ):
        bench.run([1])
    assert bench.sent == []


def test_unencodable_result(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match=r"result\.x"):
        Bench(tmp_path).run({"x": {1}})


@pytest.mark.parametrize(
    "source", [ResultOrigin(None, "t", "n", []), ResultOrigin("..", "t", "n", [])]
)
def test_invalid_ids(tmp_path: Path, source: ResultOrigin) -> None:
    with pytest.raises(StorageError, match="its path"):
        Bench(tmp_path).run(1, source)


def test_inputs_of_a_started_algorithm_are_stored(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    paths = store_inputs("j", [1, b"raw"], bench.sink)
    assert [len(key) for key in paths] == [8, 8]
    assert list(paths.values()) == [f"local-hkube/j/{key}" for key in paths]
    values = [decode_value(bench.store.read(path), "msgpack") for path in paths.values()]
    assert values == [1, b"raw"]
    with pytest.raises(EncodingError, match=r"input\[1\]\.x"):
        store_inputs("j", [1, {"x": {1}}], bench.sink)
