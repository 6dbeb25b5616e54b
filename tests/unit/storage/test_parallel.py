"""Several operations at the same time."""

from __future__ import annotations

from threading import Barrier, Event, Lock, Thread, current_thread, get_ident, main_thread

import pytest

from wrapper.storage.parallel import in_parallel


def test_each_item_once() -> None:
    done: list[int] = []
    in_parallel(done.append, list(range(1000)), 8)
    assert sorted(done) == list(range(1000))
    in_parallel(done.append, [], 8)


def test_items_run_at_the_same_time() -> None:
    meeting = Barrier(4)

    def act(_: int) -> None:
        meeting.wait(10)

    in_parallel(act, [1, 2, 3, 4], 4)


def test_first_failure_is_raised_and_the_rest_skipped() -> None:
    begun: list[int] = []
    lock = Lock()

    def act(item: int) -> None:
        with lock:
            begun.append(item)
        if item == 3:
            raise ValueError("three")

    with pytest.raises(ValueError, match="three"):
        in_parallel(act, list(range(100_000)), 4)
    assert len(begun) < 100_000


@pytest.mark.parametrize("place", ["caller", "helper"])
def test_failure_is_raised_while_others_still_run(place: str) -> None:
    both, over = Barrier(2), Event()

    def act(_: int) -> None:
        both.wait(10)
        if (current_thread() is main_thread()) is (place == "caller"):
            raise KeyboardInterrupt  # like a stop, this is not an Exception
        if place == "caller":
            over.wait(30)

    try:
        with pytest.raises(KeyboardInterrupt):
            in_parallel(act, [1, 2], 2)
        assert not over.is_set()
    finally:
        over.set()


def test_caller_does_all_work_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    threads: set[int] = set()
    in_parallel(lambda _: threads.add(get_ident()), list(range(10)), 8)
    assert threads == {get_ident()}
