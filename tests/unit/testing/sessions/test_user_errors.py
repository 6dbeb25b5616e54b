"""Exceptions of user code: failures of the algorithm, or meant for the test."""

from __future__ import annotations

import asyncio
import bdb
from types import TracebackType

import pytest

from wrapper.algorithm.host.interruption import Interruption
from wrapper.errors import AlgorithmStopped
from wrapper.testing.sessions.user_errors import WatchedUserCode, is_for_test


@pytest.mark.parametrize(
    "error, expected",
    [
        (ValueError(), False),
        (SystemExit(1), False),
        (AlgorithmStopped(), False),
        (asyncio.CancelledError(), False),
        (KeyboardInterrupt(), True),
        (bdb.BdbQuit(), True),
        (pytest.fail.Exception("no"), True),
        (pytest.skip.Exception("no"), True),
    ],
)
def test_exceptions_meant_for_the_test(error: BaseException, expected: bool) -> None:
    assert is_for_test(error) is expected


def steps(traceback: TracebackType | None) -> list[str]:
    names = []
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    return names


def boom() -> None:
    raise ValueError("bad")


async def boom_later() -> None:
    boom()


def test_exceptions_are_kept_with_the_users_frames() -> None:
    user = WatchedUserCode(Interruption())
    report = user.call(boom, 0).report
    assert report is not None
    error = user.raised[report.message]
    assert isinstance(error, ValueError)
    assert steps(error.__traceback__) == ["boom"]
    user.forget()
    assert user.raised == {}


def test_asyncio_frames_are_left_out() -> None:
    user = WatchedUserCode(Interruption())
    report = user.call(boom_later, 0).report
    user.close()
    assert report is not None
    assert steps(user.raised[report.message].__traceback__) == ["boom_later", "boom"]


def test_exception_meant_for_the_test_is_kept() -> None:
    user = WatchedUserCode(Interruption())
    user.call(lambda: pytest.fail("no"), 0)
    assert isinstance(user.for_test, pytest.fail.Exception)
    user.forget()
    assert user.for_test is None
