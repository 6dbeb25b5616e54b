import gc
import os
import signal
import sys
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import pytest

from tests.unit.support.interrupter import Interrupter
from wrapper.algorithm.api.call import ALGORITHM, DATA_SOURCE, SUB_PIPELINE, ApiCall, next_call_id
from wrapper.algorithm.api.calls import STOP_GRACE, Calls, start_timer
from wrapper.algorithm.api.waiter import Waiter
from wrapper.errors import (
    AlgorithmExecutionError,
    AlgorithmStopped,
    DataSourceError,
    EncodingError,
    SubPipelineError,
    SubPipelineStopped,
    TaskOver,
)
from wrapper.protocol.messages.shapes import AnswerKind, CallAnswer


def answer(call_id, kind=AnswerKind.DONE, response=None, error=None, reason=None):
    return CallAnswer(kind=kind, call_id=call_id, response=response, error=error, reason=reason)


class Bench:
    """Calls, with a link that records, and a clock that stands still until :meth:`pass_time`."""

    def __init__(self):
        self.sent = []
        self.warnings: list[str] = []
        self.timers = []
        self.on_send = lambda message: None
        self.calls = Calls(self, self.warnings.append, self.later)

    def send(self, message, subject):
        self.on_send(message)
        self.sent.append(message)

    def later(self, seconds, act):
        timer = (seconds, act)
        self.timers.append(timer)
        return lambda: self.timers.remove(timer) if timer in self.timers else None

    def pass_time(self):
        timers, self.timers = self.timers, []
        for _, act in timers:
            act()

    def call(self, family=SUB_PIPELINE, include_result=True):
        return ApiCall(next_call_id(), family, "simple", include_result)

    def answer_at_once(self, **fields):
        """Have each message answered while it is being sent, as an instant worker would."""
        self.on_send = lambda message: self.calls.resolve(answer(message["id"], **fields))

    def wait(self, family=SUB_PIPELINE, seconds=None, include_result=True):
        call = self.call(family, include_result)
        return self.calls.wait(call, {"id": call.id}, seconds)

    def begin(self, family=SUB_PIPELINE, seconds=None):
        call = self.call(family)
        return self.calls.begin(call, {"id": call.id}, seconds)

    @property
    def waiting(self):
        return self.calls._waiting


@pytest.fixture
def bench():
    return Bench()


def test_ids_are_unique_strings():
    ids = {next_call_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(isinstance(call_id, str) and call_id for call_id in ids)


def test_ids_differ_from_those_of_another_process():
    assert next_call_id().startswith(f"{os.getpid()}-")


def test_wait_sends_and_returns_the_response(bench):
    bench.answer_at_once(response=[{"result": 1}])
    assert bench.wait() == [{"result": 1}]
    assert len(bench.sent) == 1
    assert not bench.waiting


def test_wait_without_the_result_returns_none(bench):
    bench.answer_at_once(response={"storageInfo": {"path": "p"}})
    assert bench.wait(include_result=False) is None


def test_a_future_gets_the_response(bench):
    future = bench.begin()
    assert not future.done()
    bench.calls.resolve(answer(future.id, response=5))
    assert future.result(0) == 5
    assert not bench.waiting


@pytest.mark.parametrize(
    "family, kind, error",
    [
        (SUB_PIPELINE, AnswerKind.ERROR, SubPipelineError),
        (SUB_PIPELINE, AnswerKind.STOPPED, SubPipelineStopped),
        (ALGORITHM, AnswerKind.ERROR, AlgorithmExecutionError),
        (DATA_SOURCE, AnswerKind.ERROR, DataSourceError),
    ],
)
def test_a_failure_raises_its_error_with_hkubes_text(bench, family, kind, error):
    bench.answer_at_once(kind=kind, error="from HKube", reason="from HKube")
    with pytest.raises(error, match="^from HKube$"):
        bench.wait(family)
    future = bench.begin(family)
    with pytest.raises(error, match="^from HKube$"):
        future.result(0)


def test_a_stop_without_a_reason_names_what_was_stopped(bench):
    bench.answer_at_once(kind=AnswerKind.STOPPED)
    with pytest.raises(SubPipelineStopped, match=r"^sub-pipeline 'simple' \(id .*\) was stopped$"):
        bench.wait()


def test_a_started_answer_does_not_end_a_call(bench):
    future = bench.begin()
    bench.calls.resolve(answer(future.id, AnswerKind.STARTED))
    assert not future.done()
    bench.calls.resolve(answer(future.id, response=1))
    assert future.result(0) == 1


def test_an_answer_with_no_id_or_an_unknown_one_or_twice_is_ignored(bench):
    future = bench.begin()
    for call_id in (None, "", "1", future.id + "0"):
        bench.calls.resolve(answer(call_id, AnswerKind.ERROR, error="not ours"))
    assert not future.done()
    bench.calls.resolve(answer(future.id, response=1))
    bench.calls.resolve(answer(future.id, AnswerKind.ERROR, error="again"))
    assert future.result(0) == 1


def test_a_late_answer_of_an_old_task_matches_no_new_call(bench):
    old = bench.begin()
    bench.calls.close()
    new = Bench()
    future = new.begin()
    new.calls.resolve(answer(old.id, response="late"))
    assert not future.done()


def test_answers_may_come_in_any_order(bench):
    futures = [bench.begin() for _ in range(10)]
    for future in reversed(futures):
        bench.calls.resolve(answer(future.id, response=future.id))
    assert [future.result(0) for future in futures] == [future.id for future in futures]


def test_wait_ends_with_a_timeout_that_names_the_call(bench):
    with pytest.raises(
        TimeoutError, match=r"^sub-pipeline 'simple' \(id .*\) gave no answer in 0.001 s"
    ):
        bench.wait(seconds=0.001)
    assert not bench.waiting
    bench.calls.resolve(answer(bench.sent[0]["id"], response="late"))


def test_an_answer_at_the_last_moment_counts(bench, monkeypatch):
    from wrapper.algorithm.api import calls

    class SlowWaiter(Waiter):
        def wait(self, seconds):
            if seconds is not None:
                bench.calls.resolve(answer(self.call.id, response="just in time"))
                return False
            return super().wait(seconds)

    monkeypatch.setattr(calls, "Waiter", SlowWaiter)
    assert bench.wait(seconds=1) == "just in time"


def test_a_future_fails_with_a_timeout(bench):
    future = bench.begin(ALGORITHM, seconds=2.5)
    assert [seconds for seconds, _ in bench.timers] == [2.5]
    bench.pass_time()
    with pytest.raises(
        TimeoutError, match=r"^algorithm 'simple' \(id .*\) gave no answer in 2.5 s"
    ):
        future.result(0)
    bench.calls.resolve(answer(future.id, response="late"))
    assert future.exception(0) is not None
    assert not bench.waiting


def test_an_answered_future_leaves_no_timer(bench):
    future = bench.begin(seconds=5)
    bench.calls.resolve(answer(future.id))
    assert not bench.timers


def test_a_timer_that_fires_too_late_does_nothing(bench):
    future = bench.begin(seconds=5)
    ((_, act),) = bench.timers
    bench.calls.resolve(answer(future.id, response=1))
    act()
    assert future.result(0) == 1


def test_the_real_timer_fires_and_can_be_cancelled():
    acted = threading.Event()
    start_timer(0.001, acted.set)
    assert acted.wait(10)
    before = threading.active_count()
    prevent = start_timer(1e300, acted.clear)
    assert threading.active_count() == before + 1
    assert all(thread.daemon for thread in threading.enumerate() if "Timer" in thread.name)
    prevent()
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(10)
    assert acted.is_set()


@pytest.mark.parametrize("error", [EncodingError("a set"), KeyboardInterrupt()])
def test_an_unsendable_message_leaves_no_call(bench, error):
    def refuse(message):
        raise error

    bench.on_send = refuse
    for make in (bench.wait, bench.begin):
        with pytest.raises(type(error)):
            make(seconds=5)
    assert not bench.waiting
    assert not bench.timers


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_signal_handler_that_raises_breaks_off_the_wait(bench):
    interrupter = Interrupter(AlgorithmStopped())
    senders = []

    def interrupt(call_id):
        if not interrupter.send(signal.SIGUSR1):  # then an answer ends the wait, and the test fails
            bench.calls.resolve(answer(call_id))

    def begin(message):
        senders.append(threading.Thread(target=interrupt, args=(message["id"],)))
        senders[0].start()

    previous = signal.signal(signal.SIGUSR1, interrupter.handle)
    try:
        # The signal comes while the call waits or just before: both must end it.
        bench.on_send = begin
        with pytest.raises(AlgorithmStopped):
            bench.wait()
    finally:
        senders[0].join(20)
        signal.signal(signal.SIGUSR1, previous)
    assert not bench.waiting


def test_stop_ends_every_waiting_call_at_once(bench):
    entered: SimpleQueue[Any] = SimpleQueue()
    bench.on_send = entered.put
    future = bench.begin(seconds=5)
    with ThreadPoolExecutor(8) as pool:
        blocked = [pool.submit(bench.wait) for _ in range(8)]
        for _ in range(9):
            entered.get(timeout=10)
        assert not bench.calls.stopped
        bench.calls.stop()
        for waiting in [future, *blocked]:
            with pytest.raises(
                AlgorithmStopped, match="^HKube stopped the task; sub-pipeline 'simple'"
            ):
                waiting.result(10)
    assert bench.calls.stopped
    assert not bench.waiting
    assert not bench.timers


def test_after_stop_waiting_calls_raise_and_send_nothing(bench):
    bench.calls.stop()
    for make in (bench.wait, bench.begin):
        with pytest.raises(AlgorithmStopped):
            make()
    assert not bench.sent
    assert not bench.waiting


def test_after_stop_a_request_to_stop_still_goes_out(bench):
    bench.calls.stop()
    bench.calls.request_stop("1-1", {"id": "1-1"}, "enough")
    assert bench.sent == [{"id": "1-1"}]


def test_close_ends_the_calls_of_leftover_threads(bench):
    future = bench.begin()
    bench.calls.close()
    with pytest.raises(
        TaskOver, match="^the task of this HKubeApi has ended, sub-pipeline 'simple'"
    ):
        future.result(0)


@pytest.mark.parametrize("stopped_before", [False, True])
def test_after_close_every_call_is_refused(bench, stopped_before):
    if stopped_before:
        bench.calls.stop()
    bench.calls.close()
    for make in (bench.wait, bench.begin):
        with pytest.raises(TaskOver):
            make()
    with pytest.raises(TaskOver):
        bench.calls.request_stop("1-1", {"id": "1-1"}, "")
    assert not bench.sent
    assert bench.calls.stopped == stopped_before


def test_a_requested_stop_that_hkube_tells_of_has_its_reason(bench):
    future = bench.begin()
    bench.calls.request_stop(future.id, {"stop": future.id}, "mine")
    assert not future.done()
    bench.calls.resolve(answer(future.id, AnswerKind.STOPPED, reason="HKube's"))
    bench.pass_time()
    with pytest.raises(SubPipelineStopped, match="^HKube's$"):
        future.result(0)


@pytest.mark.parametrize(
    "family, error", [(SUB_PIPELINE, SubPipelineStopped), (ALGORITHM, AlgorithmExecutionError)]
)
def test_a_requested_stop_that_hkube_is_silent_about_ends_the_call(bench, family, error):
    future = bench.begin(family)
    bench.calls.request_stop(future.id, {"stop": future.id}, "mine")
    assert [seconds for seconds, _ in bench.timers] == [STOP_GRACE]
    bench.pass_time()
    with pytest.raises(error, match="^stopped by algorithm: mine$"):
        future.result(0)


def test_a_stop_request_for_an_ended_call_needs_no_timer(bench):
    bench.calls.request_stop("1-1", {"stop": "1-1"}, "")
    assert bench.sent == [{"stop": "1-1"}]
    assert not bench.timers


def test_a_cancelled_future_is_no_longer_in(bench):
    future = bench.begin(seconds=5)
    assert future.cancel()
    assert not bench.waiting
    assert not bench.timers
    bench.calls.resolve(answer(future.id, response=1))


def test_a_call_that_waits_in_a_done_callback_is_refused_for_it_would_hang(bench):
    raised = []

    def chain(_):
        with pytest.raises(RuntimeError, match="done-callback") as caught:
            bench.wait()
        raised.append(caught.value)
        bench.begin()  # this is the way to do it

    future = bench.begin()
    future.add_done_callback(chain)
    bench.calls.resolve(answer(future.id))
    assert len(raised) == 1
    assert len(bench.waiting) == 1
    bench.answer_at_once()
    bench.wait()  # the thread itself may wait again


class Worker:
    """Answers each message from another thread, as the thread that reads the pipe does."""

    def __init__(self):
        self.queue: SimpleQueue[Any] = SimpleQueue()
        self.calls = Calls(self, print)
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self.calls

    def __exit__(self, *_):
        self.queue.put(None)
        self.thread.join()

    def send(self, message, subject):
        self.queue.put(message)

    def run(self):
        while (message := self.queue.get()) is not None:
            self.calls.resolve(answer(message["id"], AnswerKind.STARTED))
            self.calls.resolve(answer(message["id"], response=message["input"]))


def ask(calls, number, blocking=True):
    call = ApiCall(next_call_id(), SUB_PIPELINE, "simple")
    make = calls.wait if blocking else calls.begin
    return make(call, {"id": call.id, "input": number}, None)


def test_100_threads_at_once_each_get_their_own_answer():
    with Worker() as calls, ThreadPoolExecutor(100) as pool:
        numbers = list(range(2000))
        assert list(pool.map(lambda number: ask(calls, number), numbers)) == numbers


def test_20000_calls_leave_memory_and_threads_flat():
    with Worker() as calls:

        def many(count):
            for number in range(count):
                ask(calls, number, blocking=bool(number % 2))
            ask(calls, 0)  # the last answer is here, so all are
            gc.collect()
            return tracemalloc.get_traced_memory()[0], threading.active_count()

        tracemalloc.start()
        try:
            many(1000)
            memory, threads = many(1000)
            memory_after, threads_after = many(20_000)
        finally:
            tracemalloc.stop()
        assert not calls._waiting
    assert memory_after - memory < 50_000
    assert threads_after == threads
