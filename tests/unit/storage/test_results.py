"""Storing results and inputs: what is said when, and what if it cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import EncodingError, StorageError
from wrapper.storage.format.encoded import decode_value
from wrapper.storage.results import Hold, ResultOrigin, Sink, store_inputs, store_result
from wrapper.storage.stores.file_store import FileStore
from wrapper.storage.stores.retries import Retries

SOURCE = ResultOrigin("j", "t", "green", ["green.a"])
PATH = "local-hkube/j/t"


class Bench:
    """A sink, and what is said."""

    def __init__(self, folder: Path, hold: Hold | None = None) -> None:
        self.folder = folder
        self.store = FileStore(str(folder))
        self.sink = Sink(self.store, Retries(0, lambda line: None), hold, "msgpack", "local")
        self.said: list[tuple[Mapping[str, Any], bool]] = []

    def run(self, result: Any, source: ResultOrigin = SOURCE) -> None:
        store_result(source, [result].pop, self.sink, self.say)

    def say(self, message: Mapping[str, Any]) -> None:
        self.said.append((message, (self.folder / PATH).exists()))


def test_it_is_told_once_it_is_stored(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.run({"a": [1]})
    data = {
        "storageInfo": {"path": PATH, "size": 5},
        "metadata": {"green.a": {"type": "array", "size": 1}},
    }
    assert bench.said == [({"command": "storing", "data": data}, True)]
    assert decode_value(bench.store.read(PATH), "msgpack") == {"a": [1]}


def test_peers_that_hold_it_are_told_before(tmp_path: Path) -> None:
    held: list[tuple[str, Any]] = []
    discovery = {"host": "10.0.0.1", "port": "9020"}

    def hold(task_id: str, encoded: Any) -> Mapping[str, Any]:
        held.append((task_id, bytes(encoded.payload)))
        return discovery

    bench = Bench(tmp_path, hold)
    bench.run([1])
    assert held == [("t", b"\x91\x01")]
    ((message, written),) = bench.said
    assert not written
    assert message["data"]["discovery"] == discovery
    assert message["data"]["taskId"] == "t"
    assert decode_value(bench.store.read(PATH), "msgpack") == [1]


def test_what_nobody_holds_is_told_after(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lambda task_id, encoded: None)
    bench.run([1])
    ((message, written),) = bench.said
    assert written and "discovery" not in message["data"]


def test_what_cannot_be_written_is_a_fault_with_size_and_path(tmp_path: Path) -> None:
    (tmp_path / "local-hkube").write_text("in the way")
    bench = Bench(tmp_path)
    with pytest.raises(
        StorageError, match=rf"^the result \(2 bytes\) cannot be stored at {PATH}: "
    ):
        bench.run([1])
    assert bench.said == []


def test_what_cannot_be_encoded(tmp_path: Path) -> None:
    with pytest.raises(EncodingError, match=r"result\.x"):
        Bench(tmp_path).run({"x": {1}})


@pytest.mark.parametrize(
    "source", [ResultOrigin(None, "t", "n", []), ResultOrigin("..", "t", "n", [])]
)
def test_ids_that_are_none(tmp_path: Path, source: ResultOrigin) -> None:
    with pytest.raises(StorageError, match="its path"):
        Bench(tmp_path).run(1, source)


def test_inputs_of_another_algorithm(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    paths = store_inputs("j", [1, b"raw"], bench.sink)
    assert [len(key) for key in paths] == [8, 8]
    assert list(paths.values()) == [f"local-hkube/j/{key}" for key in paths]
    values = [decode_value(bench.store.read(path), "msgpack") for path in paths.values()]
    assert values == [1, b"raw"]
    with pytest.raises(EncodingError, match=r"input\[1\]\.x"):
        store_inputs("j", [1, {"x": {1}}], bench.sink)
