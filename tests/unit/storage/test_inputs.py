"""Filling a job's input, from real files and simulated peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import pytest

from wrapper.errors import StorageError
from wrapper.storage import quick_reads
from wrapper.storage.cache import Cache
from wrapper.storage.format.encoded import Encoded, encode_value
from wrapper.storage.format.header import make_header
from wrapper.storage.format.references import StoredReference
from wrapper.storage.inputs import Sources, fetch_response, fill_input
from wrapper.storage.stores.file_store import FileStore
from wrapper.storage.stores.retries import Retries
from wrapper.storage.stores.s3_store import S3Store


class CountingStore(FileStore):
    """A file store that records which paths are read."""

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.reads: list[str] = []

    def read(self, path: str) -> Encoded:
        self.reads.append(path)
        return super().read(path)


class Peers:
    """Simulated peers, which record the requests."""

    def __init__(self, **held: Any) -> None:
        self.held = held
        self.asked: list[str] = []

    def __call__(self, links: Sequence[StoredReference]) -> Mapping[str, Encoded]:
        self.asked += [link.task_id for link in links]
        return {
            link.path: held
            if isinstance(held, Encoded)
            else encode_value(held, "msgpack", "result")
            for link in links
            if (held := self.held.get(link.task_id)) is not None
        }


class Bench:
    """Everything needed to fill inputs."""

    def __init__(self, folder: Path, peers: Peers | None = None, within: float = 0) -> None:
        self.store = CountingStore(str(folder))
        retries = Retries(within, lambda line: None)
        self.warnings: list[str] = []
        self.cache = Cache(100_000)
        self.sources = Sources(
            self.store, retries, self.cache, peers, "msgpack", "local", self.warnings.append
        )

    def put(self, value: Any, path: str) -> dict[str, Any]:
        encoded = encode_value(value, "msgpack", "result")
        self.store.write(path, encoded)
        return {"path": path, "size": encoded.size}

    def fill(self, inputs: list[Any], flat: dict[str, str], **storage: Any) -> list[Any]:
        job = {"jobId": "j", "input": inputs, "flatInput": flat, "storage": storage}
        fill_input(job, self.sources)
        return inputs


DISCOVERY = {"host": "10.0.0.1", "port": "9020"}


def test_job_without_references(tmp_path: Path) -> None:
    job: dict[str, Any] = {"input": ["$$k"], "flatInput": None}
    fill_input(job, Bench(tmp_path).sources)
    assert job == {"input": ["$$k"], "flatInput": None}
    fill_input({}, Bench(tmp_path).sources)


def test_repeated_object_is_read_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    info = bench.put({"a": [1, 2, 3]}, "local-hkube/j/t")
    links = [{"storageInfo": info, "path": f"a.{index}"} for index in (0, 2, 1, 7)]
    assert bench.fill(["$$k"], {"0": "$$k"}, k=links) == [[1, 3, 2, None]]
    assert bench.store.reads == ["local-hkube/j/t"]


def test_places_never_share_mutable_values(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    info = bench.put({"a": {"b": []}}, "local-hkube/j/t")
    whole, part = {"storageInfo": info}, {"storageInfo": info, "path": "a"}
    inner = {"storageInfo": info, "path": "a.b"}
    flat = {str(place): f"$${key}" for place, key in enumerate("wpiw")}
    filled = bench.fill(list("wpiw"), flat, w=whole, p=part, i=inner)
    assert filled == [{"a": {"b": []}}, {"b": []}, [], {"a": {"b": []}}]
    filled[0]["a"]["b"].append("changed")
    assert filled[1:] == [{"b": []}, [], {"a": {"b": []}}]


def test_next_task_gets_its_own_value(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    info = {"storageInfo": bench.put([1], "local-hkube/j/t")}
    for _ in range(2):
        filled = bench.fill(["$$k"], {"0": "$$k"}, k=info)
        assert filled == [[1]]
        filled[0].append(2)
    assert len(bench.store.reads) == 1


def test_use_cache_false_clears_the_cache(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    info = {"storageInfo": bench.put([1], "local-hkube/j/t")}
    for _ in range(2):
        job = {"input": ["$$k"], "flatInput": {"0": "$$k"}, "storage": {"k": info}}
        fill_input({**job, "useCache": False}, bench.sources)
    assert len(bench.store.reads) == 2


def test_peers_are_asked_before_the_storage(tmp_path: Path) -> None:
    peers = Peers(t1="from memory")
    bench = Bench(tmp_path, peers)
    bench.put("from storage", "local-hkube/j/t2")
    link = {"discovery": DISCOVERY, "tasks": ["t1", "t2"]}
    assert bench.fill(["$$k"], {"0": "$$k"}, k=[link]) == [["from memory", "from storage"]]
    assert peers.asked == ["t1", "t2"]
    assert bench.store.reads == ["local-hkube/j/t2"]
    assert bench.fill(["$$k"], {"0": "$$k"}, k=[link]) == [["from memory", "from storage"]]
    assert peers.asked == ["t1", "t2"]  # the second time, they are cached


GOOD = encode_value(["good"] * 2000, "msgpack", "result")


@pytest.mark.parametrize(
    "answer, error",
    [
        (Encoded(GOOD.header, bytes(GOOD.payload)[:5000]), "it is incomplete: 5,000 of 10,003"),
        (Encoded(GOOD.header, b"\xc1" * 10_003), "it is corrupt"),
        # It can be decoded, but to another value than the stored one.
        (Encoded(make_header(False, "json"), b"123"), "it is incomplete: 3 of 10,003"),
    ],
)
def test_unusable_value_of_a_peer_is_read_from_the_storage(
    tmp_path: Path, answer: Encoded, error: str
) -> None:
    bench = Bench(tmp_path, Peers(t=answer))
    info = bench.put(["good"] * 2000, "local-hkube/j/t")
    link = {"storageInfo": info, "discovery": DISCOVERY, "taskId": "t"}
    for _ in range(2):  # the cache must not give it to the next task either
        assert bench.fill(["$$k"], {"0": "$$k"}, k=link) == [["good"] * 2000]
    assert bench.store.reads == ["local-hkube/j/t"]
    (warning,) = bench.warnings
    assert warning.startswith(f"local-hkube/j/t from the peer 10.0.0.1:9020: {error}")
    assert warning.endswith("; reading from the storage")


def test_corrupt_value_is_not_cached(tmp_path: Path) -> None:
    peers = Peers(t=Encoded(GOOD.header, b"\xc1"))
    bench = Bench(tmp_path, peers)
    bench.store.write("local-hkube/j/t", Encoded(GOOD.header, b"\xc1"))
    link = {"storageInfo": {"path": "local-hkube/j/t"}, "discovery": DISCOVERY, "taskId": "t"}
    with pytest.raises(StorageError, match="it is corrupt"):
        bench.fill(["$$k"], {"0": "$$k"}, k=link)
    bench.store.write("local-hkube/j/t", GOOD)
    assert bench.fill(["$$k"], {"0": "$$k"}, k=link) == [["good"] * 2000]


def test_cached_value_that_does_not_fit_the_link_is_read_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    info = bench.put(b"written once more", "local-hkube/j/t")
    bench.cache.put("local-hkube/j/t", encode_value(b"short", "msgpack", "result"))
    filled = bench.fill(["$$k"], {"0": "$$k"}, k={"storageInfo": info})
    assert filled == [b"written once more"]
    assert bench.warnings[0].startswith("local-hkube/j/t from the cache: it is incomplete")


def test_result_that_a_peer_is_still_writing_is_awaited(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Peers(), within=10)
    read = bench.store.read

    def read_late(path: str) -> Encoded:
        if len(bench.store.reads) == 2:
            bench.put("written at last", path)
        return read(path)

    bench.store.read = read_late  # type: ignore[method-assign]
    link = {"storageInfo": {"path": "local-hkube/j/t"}, "discovery": DISCOVERY, "taskId": "t"}
    assert bench.fill(["$$k"], {"0": "$$k"}, k=link) == ["written at last"]


def test_errors_name_the_place(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    gone = {"storageInfo": {"path": "local-hkube/j/gone"}}
    with pytest.raises(StorageError, match=r"^input\.1\.a \(the link 'k'\) cannot be read from "):
        bench.fill([0, {"a": "$$k"}], {"1.a": "$$k"}, k=gone)
    info = {"storageInfo": {**bench.put("x" * 50, "local-hkube/j/t"), "size": 900}}
    (tmp_path / "local-hkube/j/t").write_bytes(b"\x01\x08\x02\x03\0\0HK\xd9\x32xx")
    with pytest.raises(StorageError, match=r"^input\.0\[0\] \(the link 'k'\) .*incomplete"):
        bench.fill(["$$k"], {"0": "$$k"}, k=[info])
    with pytest.raises(StorageError, match=r"names input\.5, which does not exist"):
        bench.fill(["$$k"], {"5": "$$k"}, k={"storageInfo": bench.put(1, "local-hkube/j/u")})


def test_links_in_answers_are_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for value in (None, 5, [1], {"result": 1}, [{"nodeName": "a", "result": 1}]):
        assert fetch_response(value, bench.sources) is value
    assert fetch_response({"storageInfo": bench.put([1], "b/k")}, bench.sources) == [1]
    big = {"nodeName": "a", "info": {**bench.put("big", "b/l"), "isBigData": True}}
    assert fetch_response([big, 5], bench.sources) == [{"nodeName": "a", "result": "big"}, 5]
    for path in ("b/k", "b/l"):
        assert bench.cache.get(path) is None  # no later task will read it
    with pytest.raises(StorageError, match="^the answer cannot be read from b/gone"):
        fetch_response({"storageInfo": {"path": "b/gone"}}, bench.sources)


@pytest.mark.parametrize("readers", [S3Store.readers, FileStore.readers])
def test_objects_behind_a_network_are_read_at_the_same_time(tmp_path: Path, readers: int) -> None:
    meeting = Barrier(readers)

    class DistantStore(CountingStore):
        def read(self, path: str) -> Encoded:
            meeting.wait(20)  # until all readers are here
            return super().read(path)

    bench = Bench(tmp_path)
    store = DistantStore(str(tmp_path))
    store.readers, store.is_local = readers, False
    bench.sources = bench.sources._replace(store=store)
    infos = [bench.put(number, f"local-hkube/j/{number}") for number in range(readers)]
    links = [{"storageInfo": info} for info in infos]
    assert bench.fill(["$$k"], {"0": "$$k"}, k=links) == [list(range(readers))]


def test_small_files_are_read_without_other_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_reads, "_PATIENCE", 60)  # also on a machine that is busy
    threads: set[int] = set()

    class ThreadStore(CountingStore):
        def read(self, path: str) -> Encoded:
            threads.add(get_ident())
            return super().read(path)

    bench = Bench(tmp_path)
    bench.sources = bench.sources._replace(store=ThreadStore(str(tmp_path)))
    links = [{"storageInfo": bench.put(number, f"local-hkube/j/{number}")} for number in range(100)]
    assert bench.fill(["$$k"], {"0": "$$k"}, k=links) == [list(range(100))]
    assert len(threads) == 1
