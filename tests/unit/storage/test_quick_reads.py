"""Reading small objects in sequence, with a clock that the test sets."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from threading import Event, Thread

import pytest

from tests.unit.support.interrupter import Interrupter
from wrapper.storage.format.encoded import Encoded
from wrapper.storage.format.references import StoredReference
from wrapper.storage.quick_reads import read_while_fast
from wrapper.storage.stores import interruptible
from wrapper.storage.stores.file_store import FileStore


class TimedStore(FileStore):
    """A real file store; each read moves the test's clock."""

    def __init__(self, folder: Path, seconds: float) -> None:
        super().__init__(str(folder))
        self.time = 0.0
        self.reads: list[str] = []
        self._seconds = seconds

    def now(self) -> float:
        return self.time

    def read(self, path: str) -> Encoded:
        self.reads.append(path)
        self.time += self._seconds
        return super().read(path)

    def links(self, count: int, size: int | None = 1) -> list[StoredReference]:
        paths = [f"local-hkube/j/{number}" for number in range(count)]
        for path in paths:
            self.write(path, Encoded(b"12345678", b"x"))
        return [StoredReference(path, size) for path in paths]


def test_fast_reads_are_done_one_after_the_other(tmp_path: Path) -> None:
    store = TimedStore(tmp_path, 0.0001)
    found = read_while_fast(store, store.links(1000), store.now)
    assert len(found) == 1000 and len(store.reads) == 1000


def test_slow_reads_are_left_to_several_readers_after_5_ms(tmp_path: Path) -> None:
    store = TimedStore(tmp_path, 0.001)
    found = read_while_fast(store, store.links(100), store.now)
    assert store.reads == list(found) and len(found) == 6


def test_single_hiccup_is_forgiven(tmp_path: Path) -> None:
    class HiccupStore(TimedStore):
        def read(self, path: str) -> Encoded:
            if len(self.reads) == 50:
                self.time += 0.006
            return super().read(path)

    store = HiccupStore(tmp_path, 0.00001)
    assert len(read_while_fast(store, store.links(100), store.now)) == 100


def test_object_that_cannot_be_read_ends_the_reading_without_an_error(tmp_path: Path) -> None:
    store = TimedStore(tmp_path, 0)
    first, second, third = store.links(3)
    gone = StoredReference("local-hkube/j/gone", 1)
    assert list(read_while_fast(store, [first, second, gone, third], store.now)) == [
        first.path,
        second.path,
    ]


@pytest.mark.parametrize("size", [None, 64 * 1024 + 1])
def test_objects_that_are_large_or_of_unknown_size_are_left_out(
    tmp_path: Path, size: int | None
) -> None:
    store = TimedStore(tmp_path, 0)
    assert read_while_fast(store, store.links(3, size), store.now) == {}
    assert store.reads == []


def test_single_object_and_a_store_behind_a_network_are_left_out(tmp_path: Path) -> None:
    store = TimedStore(tmp_path, 0)
    assert read_while_fast(store, store.links(1), store.now) == {}
    store.is_local = False
    assert read_while_fast(store, store.links(3), store.now) == {}


def test_interruption_ends_the_wait_and_the_reading(tmp_path: Path) -> None:
    class Stop(BaseException):
        pass

    interrupter, begun, over = Interrupter(Stop()), Event(), Event()

    class HungStore(TimedStore):
        def read(self, path: str) -> Encoded:
            begun.set()
            over.wait(30)
            return super().read(path)

    store = HungStore(tmp_path, 0)
    links = store.links(5)
    interruptible._helpers.forget()

    def send() -> None:
        begun.wait(30)
        if not interrupter.send(signal.SIGUSR1):
            over.set()

    before = signal.signal(signal.SIGUSR1, interrupter.handle)
    sender = Thread(target=send)
    sender.start()
    try:
        with pytest.raises(Stop):
            read_while_fast(store, links, store.now)
        assert not over.is_set()
    finally:
        over.set()
        sender.join(30)
        signal.signal(signal.SIGUSR1, before)
    deadline = time.monotonic() + 30
    while not interruptible._helpers._idle and time.monotonic() < deadline:
        time.sleep(0.001)  # until the abandoned thread has ended its call
    assert len(store.reads) == 1
