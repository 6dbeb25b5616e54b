import asyncio
import concurrent.futures
import sys

import pytest

from wrapper.algorithm.api.call import ALGORITHM, ApiCall
from wrapper.algorithm.api.future import CallFuture
from wrapper.errors import AlgorithmExecutionError, AlgorithmStopped


class Registry:
    """Stands for Calls: knows whether the future's call is still in."""

    def __init__(self):
        self.waiting = {"1-1"}
        self.warnings = []

    def forget(self, call_id):
        known = call_id in self.waiting
        self.waiting.discard(call_id)
        return known


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def future(registry):
    return CallFuture(
        ApiCall("1-1", ALGORITHM, "green-alg"), registry.forget, registry.warnings.append
    )


def test_is_a_future_with_the_calls_id(future):
    assert future.id == "1-1"
    assert isinstance(future, concurrent.futures.Future)
    assert not future.done()


def test_returns_the_result(future):
    future.end({"a": 1}, None)
    assert future.result(0) == {"a": 1}


def test_raises_the_error(future):
    future.end(None, AlgorithmExecutionError("bad"))
    with pytest.raises(AlgorithmExecutionError, match="^bad$"):
        future.result(0)


def test_a_cancelled_future_is_forgotten_and_wakes_waiting_threads(future, registry):
    assert future.cancel()
    assert not registry.waiting
    assert concurrent.futures.wait([future], timeout=0).done == {future}
    assert future.cancel(), "a second time does no harm"


def test_an_answer_after_cancelling_is_dropped(future, registry):
    registry.waiting.clear()  # the answer's thread has taken it out
    assert future.cancel()
    future.end(1, None)
    assert future.cancelled()
    assert concurrent.futures.wait([future], timeout=0).done == {future}


def test_an_ended_future_cannot_be_cancelled(future):
    future.end(1, None)
    assert not future.cancel()
    assert future.result(0) == 1


def test_can_be_awaited(future):
    async def start():
        asyncio.get_running_loop().run_in_executor(None, future.end, 5, None)
        return await future

    assert asyncio.run(start()) == 5


def test_can_be_gathered(future):
    async def start():
        asyncio.get_running_loop().call_soon(future.end, 5, None)
        return await asyncio.gather(future, asyncio.sleep(0, "slept"))

    assert asyncio.run(start()) == [5, "slept"]


@pytest.mark.parametrize("error", [AlgorithmExecutionError("bad"), AlgorithmStopped("stop")])
def test_awaiting_raises_the_error(future, error):
    async def start():
        future.end(None, error)
        await future

    with pytest.raises(type(error)):
        asyncio.run(start())


def test_cancelling_the_task_that_awaits_it_forgets_the_call(future, registry):
    async def start():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(future, 0.001)

    asyncio.run(start())
    assert future.cancelled()
    assert not registry.waiting


def test_a_done_callback_cannot_end_the_listening_thread(future, registry):
    future.add_done_callback(lambda _: sys.exit("enough"))
    future.end(5, None)
    assert future.result(0) == 5
    assert registry.warnings == [
        "a done-callback of algorithm 'green-alg' (id 1-1) raised SystemExit: enough"
    ]
