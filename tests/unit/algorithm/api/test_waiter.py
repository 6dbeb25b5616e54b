import gc
import weakref
from threading import Thread

import pytest

from wrapper.algorithm.api.call import SUB_PIPELINE, ApiCall
from wrapper.algorithm.api.waiter import Waiter
from wrapper.errors import SubPipelineError

CALL = ApiCall("1-1", SUB_PIPELINE, "simple")


def test_waits_until_another_thread_gives_the_result():
    waiter = Waiter(CALL)
    thread = Thread(target=waiter.end, args=([1], None))
    thread.start()
    assert waiter.wait(None)
    thread.join()
    assert waiter.take() == [1]


def test_raises_the_error():
    waiter = Waiter(CALL)
    waiter.end(None, SubPipelineError("bad"))
    assert waiter.wait(5)
    with pytest.raises(SubPipelineError, match="^bad$"):
        waiter.take()


def test_tells_that_the_time_is_up():
    assert not Waiter(CALL).wait(0.001)


def test_takes_a_time_longer_than_a_lock_can_wait():
    waiter = Waiter(CALL)
    waiter.end(1, None)
    assert waiter.wait(1e300)


def test_an_error_leaves_no_reference_cycle():
    class Failure(Exception):
        pass

    def fail():
        waiter = Waiter(CALL)
        waiter.end(None, Failure())
        try:
            waiter.take()
        except Failure as error:
            return weakref.ref(error)

    gc.disable()
    try:
        assert fail()() is None
    finally:
        gc.enable()
