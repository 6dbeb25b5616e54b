"""Retries, on a simulated clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from wrapper.errors import StorageError
from wrapper.storage.stores.retries import Clock, Retries
from wrapper.storage.stores.store import Missing, Unavailable


class Time:
    """A clock that advances on sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def retries(within: float, time: Time, warnings: list[str] | None = None) -> Retries:
    warn = (warnings if warnings is not None else []).append
    return Retries(within, warn, Clock(lambda: time.now, time.sleep, lambda: 1.0))


def failing(times: int, error: StorageError) -> Callable[[], str]:
    left = [error] * times

    def act() -> str:
        if left:
            raise left.pop()
        return "done"

    return act


def test_success_is_not_repeated() -> None:
    time = Time()
    assert retries(30, time).run("reading x", failing(0, Unavailable(""))) == "done"
    assert time.pauses == []


def test_pauses_grow_and_the_warning_is_logged_once() -> None:
    time, warnings = Time(), list[str]()
    act = failing(4, Unavailable("it is away"))
    assert retries(30, time, warnings).run("reading x", act) == "done"
    assert time.pauses == pytest.approx([0.2, 0.36, 0.648, 1.1664])
    assert warnings == ["reading x: it is away; retrying for 30 s"]


def test_longest_pause_and_time_limit() -> None:
    time = Time()
    with pytest.raises(Unavailable):
        retries(30, time).run("reading x", failing(1000, Unavailable("")))
    assert max(time.pauses) == 5.0
    assert 25 <= sum(time.pauses) <= 30


def test_permanent_error_is_not_retried() -> None:
    for error in (StorageError("no permission"), Missing("nothing there")):
        time = Time()
        with pytest.raises(type(error)):
            retries(30, time).run("reading x", failing(1, error))
        assert time.pauses == []


def test_missing_object_is_awaited() -> None:
    time = Time()
    act = failing(3, Missing("not yet"))
    assert retries(30, time).run("reading x", act, await_missing=True) == "done"
    assert len(time.pauses) == 3


def test_zero_time_limit() -> None:
    with pytest.raises(Unavailable):
        retries(0, Time()).run("reading x", failing(1, Unavailable("")))
