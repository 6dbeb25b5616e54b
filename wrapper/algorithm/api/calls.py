"""The calls of HKubeApi that wait for HKube's answer.

Everything here is safe from any thread with no lock of its own: whoever takes a call out of the
registry, one atomic step of a dict, is the one to end it. A lock would hang an algorithm whose
signal handler makes a call while the thread it interrupts holds that lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from threading import TIMEOUT_MAX, get_ident
from typing import TYPE_CHECKING, Any, Protocol

from ...errors import (
    AlgorithmStopped,
    CallError,
    TaskOver,
)
from ...protocol.messages.shapes import AnswerKind, CallAnswer
from .call import ApiCall
from .waiter import Waiter

if TYPE_CHECKING:
    from .future import CallFuture

# The worker does not answer a stop that works, it only ceases to watch what was stopped
# (kube-HPC/hkube, core/worker/lib/code-api). It has this many seconds to tell of one that failed,
# then the call ends by itself.
STOP_GRACE = 1.0


class ApiLink(Protocol):
    """The way to the worker, for one task."""

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        """Encode and send a message; safe from any thread.

        Args:
            message: as the builders of protocol.messages make them.
            subject: what the message is, for the text of an error.

        Raises:
            EncodingError: the message holds something that cannot be sent.
        """


# An enum's member is looked up in Python code, too slow for what every answer passes.
_STARTED, _DONE = AnswerKind.STARTED, AnswerKind.DONE


def start_timer(seconds: float, act: Callable[[], object]) -> Callable[[], object]:
    """Have `act` called in a thread of its own after `seconds`; returns how to prevent it."""
    from threading import Timer

    timer = Timer(min(seconds, TIMEOUT_MAX), act)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Calls:
    """The calls of one task that wait for an answer.

    Args:
        link: where calls are sent.
        warn: takes a line for the log.
        later: how to have something done after some seconds; see :func:`start_timer`.

    Attributes:
        stopped: HKube stopped the task.
        over: the task has ended.
    """

    def __init__(
        self,
        link: ApiLink,
        warn: Callable[[str], None],
        later: Callable[[float, Callable[[], object]], Callable[[], object]] = start_timer,
    ) -> None:
        self.stopped = False
        self.over = False
        self._link = link
        self._warn = warn
        self._later = later
        self._waiting: dict[str, Waiter | CallFuture] = {}
        self._delivering: int | None = None  # the thread that hands out an answer just now

    def wait(self, call: ApiCall, message: Mapping[str, Any], seconds: float | None) -> Any:
        """Send `message` and wait for the answer to `call`.

        Args:
            call: what is waited for.
            message: what is sent.
            seconds: how long to wait, None for as long as it takes.

        Returns:
            HKube's response; None if the call does not include it.

        Raises:
            CallError: HKube answered with a failure, or the task is over.
            TimeoutError: no answer came in time; a later one is ignored.
            AlgorithmStopped: the task was stopped.
            EncodingError: the message cannot be sent.
        """
        if self._delivering == get_ident():
            raise RuntimeError(
                f"{call} was called from a future's done-callback, where waiting would keep its "
                "answer from being read; call with blocking=False there"
            )
        waiter = Waiter(call)
        try:
            self._enter(waiter)
            self._link.send(message, f"request for {call.title}")
            if not waiter.wait(seconds) and not self._expire(call, seconds or 0):
                waiter.wait(None)  # the answer came at the last moment and is being handed over
        finally:
            self._forget(call.id)  # whatever was raised meanwhile, from a signal handler too
        return waiter.take()

    def begin(
        self,
        call: ApiCall,
        message: Mapping[str, Any],
        seconds: float | None,
        fetch: Callable[[Any], Any] | None = None,
    ) -> CallFuture:
        """Send `message`, wait for nothing: the future will have the answer.

        Args and what is raised are those of :meth:`wait`; failures of the call itself, the
        timeout among them, are the future's. `fetch`, which may take long, makes the result of
        the response.
        """
        from .future import CallFuture

        future = CallFuture(call, self._forget, self._warn, fetch)
        try:
            self._enter(future)
            if seconds is not None:
                cancel = self._later(seconds, partial(self._expire, call, seconds))
                future.add_done_callback(lambda _: cancel())
            self._link.send(message, f"request for {call.title}")
        except BaseException:
            future.cancel()  # forgets it, and prevents the timer
            raise
        return future

    def request_stop(self, call_id: str, message: Mapping[str, Any], reason: str) -> None:
        """Send `message`, which asks HKube to stop what the call `call_id` started.

        The call, if it still waits, ends when HKube tells, at the latest after STOP_GRACE.

        Raises:
            TaskOver: the task is over.
        """
        if self.over:
            raise _task_over("HKube has stopped what it started")
        self._link.send(message, "request to stop")
        if call_id in self._waiting:
            self._later(STOP_GRACE, partial(self._end_stopped, call_id, reason))

    def resolve(self, answer: CallAnswer) -> None:
        """End the call that `answer` is for; what nobody waits for is ignored."""
        if answer.kind is _STARTED or answer.call_id is None:
            return
        waiting = self._waiting.pop(answer.call_id, None)
        if waiting is None:
            return
        error = _failure(waiting.call, answer)
        response = answer.response if error is None and waiting.call.include_result else None
        self._delivering = get_ident()
        try:
            waiting.end(response, error)
        finally:
            self._delivering = None

    def stop(self) -> None:
        """The task is stopped: end every call that waits, and each one made from now on."""
        self.stopped = True
        self._end_all()

    def close(self) -> None:
        """The task is over: end what leftover threads still wait for, and refuse new calls."""
        self.over = True
        self._end_all()

    def _enter(self, waiting: Waiter | CallFuture) -> None:
        # First in, then the check: stop() sets its flag first and then takes out what is in, so
        # one of the two sees the other.
        self._waiting[waiting.call.id] = waiting
        refusal = self._refusal(waiting.call)
        if refusal is not None:
            self._forget(waiting.call.id)
            raise refusal

    def _refusal(self, call: ApiCall) -> BaseException | None:
        if self.over:
            return _task_over(f"{call} is not waited for")
        if self.stopped:
            return AlgorithmStopped(f"HKube stopped the task; {call} is not waited for")
        return None

    def _forget(self, call_id: str) -> bool:
        """Take a call out; whether it was still in."""
        return self._waiting.pop(call_id, None) is not None

    def _expire(self, call: ApiCall, seconds: float) -> bool:
        """End a call whose time is up; False if it has ended already."""
        waiting = self._waiting.pop(call.id, None)
        if waiting is None:
            return False
        text = f"{call} gave no answer in {seconds:g} seconds; HKube was not told to stop it"
        waiting.end(None, TimeoutError(text))
        return True

    def _end_stopped(self, call_id: str, reason: str) -> None:
        waiting = self._waiting.pop(call_id, None)
        if waiting is not None:
            text = f"stopped by algorithm: {reason}"  # as HKube words it
            waiting.end(None, waiting.call.family.stopped(text))

    def _end_all(self) -> None:
        while True:
            try:
                _, waiting = self._waiting.popitem()
            except KeyError:  # none is left; other threads may have taken some
                break
            waiting.end(None, self._refusal(waiting.call))


def _failure(call: ApiCall, answer: CallAnswer) -> CallError | None:
    if answer.kind is _DONE:
        return None
    if answer.kind is AnswerKind.STOPPED:
        return call.family.stopped(answer.reason or f"{call} was stopped")
    return call.family.failed(answer.error or f"{call} failed; HKube did not tell why")


def _task_over(consequence: str) -> TaskOver:
    return TaskOver(
        f"the task of this HKubeApi has ended, {consequence}; end your threads before start returns"
    )
