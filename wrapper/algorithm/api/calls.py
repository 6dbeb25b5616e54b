"""The calls of HKubeApi that wait for HKube's answer.

Everything here is safe from any thread without a lock: whoever removes a call from the registry,
an atomic operation of a dict, also ends it. With a lock, an algorithm would hang if its signal
handler made a call while the interrupted thread held the lock.
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

# The worker does not answer a stop that succeeds; it only stops watching what was stopped
# (kube-HPC/hkube, core/worker/lib/code-api). It has this many seconds to report a failure. Then
# the call ends by itself.
STOP_GRACE = 1.0


class ApiLink(Protocol):
    """Sends the messages of one task to the worker."""

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        """Encode and send a message; safe from any thread.

        Args:
            message: a message from the builders in `protocol.messages`.
            subject: what the message is, for the text of an error.

        Raises:
            EncodingError: the message holds a value that cannot be sent.
        """


# Looked up once, because access to an enum member is slow and every answer passes here.
_STARTED, _DONE = AnswerKind.STARTED, AnswerKind.DONE


def start_timer(seconds: float, act: Callable[[], object]) -> Callable[[], object]:
    """Call `act` in a new thread after `seconds`; returns a function that cancels this."""
    from threading import Timer

    timer = Timer(min(seconds, TIMEOUT_MAX), act)
    timer.daemon = True
    timer.start()
    return timer.cancel


class Calls:
    """The calls of one task that wait for an answer.

    Args:
        link: sends messages to the worker.
        warn: writes a line to the log.
        schedule: calls a function after some seconds; see :func:`start_timer`.

    Attributes:
        stopped: whether HKube has stopped the task.
        over: whether the task has ended.
    """

    def __init__(
        self,
        link: ApiLink,
        warn: Callable[[str], None],
        schedule: Callable[[float, Callable[[], object]], Callable[[], object]] = start_timer,
    ) -> None:
        self.stopped = False
        self.over = False
        self._link = link
        self._warn = warn
        self._schedule = schedule
        self._waiting: dict[str, Waiter | CallFuture] = {}
        self._resolving_thread: int | None = None  # the thread that runs `resolve`

    def wait(self, call: ApiCall, message: Mapping[str, Any], seconds: float | None) -> Any:
        """Send `message` and wait for the answer to `call`.

        Args:
            call: the call.
            message: the message that asks for it.
            seconds: the longest time to wait; None for no limit.

        Returns:
            HKube's response; None if the call does not include it.

        Raises:
            CallError: HKube answered with an error, or the task is over.
            TimeoutError: there was no answer in time; a later one is ignored.
            AlgorithmStopped: the task was stopped.
            EncodingError: the message cannot be sent.
        """
        if self._resolving_thread == get_ident():
            raise RuntimeError(
                f"{call} was called from a future's done-callback, where waiting would prevent its "
                "answer from being read; call it with blocking=False there"
            )
        waiter = Waiter(call)
        try:
            self._register(waiter)
            self._link.send(message, f"request for {call.title}")
            if not waiter.wait(seconds) and not self._expire(call, seconds or 0):
                waiter.wait(None)  # the answer came at the last moment and is being resolved
        finally:
            self._forget(call.id)  # even if a signal handler raised meanwhile
        return waiter.take()

    def begin(
        self,
        call: ApiCall,
        message: Mapping[str, Any],
        seconds: float | None,
        fetch: Callable[[Any], Any] | None = None,
    ) -> CallFuture:
        """Send `message` and return a future that will hold the answer.

        The arguments are those of :meth:`wait`, and `fetch` is that of `CallFuture`. This raises
        what :meth:`wait` raises, but errors of the call itself, also a timeout, go to the future.
        """
        from .future import CallFuture

        future = CallFuture(call, self._forget, self._warn, fetch)
        try:
            self._register(future)
            if seconds is not None:
                cancel = self._schedule(seconds, partial(self._expire, call, seconds))
                future.add_done_callback(lambda _: cancel())
            self._link.send(message, f"request for {call.title}")
        except BaseException:
            future.cancel()  # forgets the call and cancels the timer
            raise
        return future

    def request_stop(self, call_id: str, message: Mapping[str, Any], reason: str) -> None:
        """Send `message`, which asks HKube to stop what the call `call_id` started.

        If the call still waits, it ends when HKube answers, or after STOP_GRACE.

        Raises:
            TaskOver: the task is over.
        """
        if self.over:
            raise _task_over("HKube has stopped what it started")
        self._link.send(message, "request to stop")
        if call_id in self._waiting:
            self._schedule(STOP_GRACE, partial(self._end_stopped, call_id, reason))

    def resolve(self, answer: CallAnswer) -> None:
        """End the call that `answer` is for; ignore an answer that no call waits for."""
        if answer.kind is _STARTED or answer.call_id is None:
            return
        waiting = self._waiting.pop(answer.call_id, None)
        if waiting is None:
            return
        error = _failure(waiting.call, answer)
        response = answer.response if error is None and waiting.call.include_result else None
        self._resolving_thread = get_ident()
        try:
            waiting.end(response, error)
        finally:
            self._resolving_thread = None

    def stop(self) -> None:
        """HKube stopped the task: end all calls that wait, and refuse new ones."""
        self.stopped = True
        self._end_all()

    def close(self) -> None:
        """The task is over: end calls that leftover threads still make, and refuse new ones."""
        self.over = True
        self._end_all()

    def _register(self, waiting: Waiter | CallFuture) -> None:
        # Register first, then check: stop() sets its flag first and then ends what is registered,
        # so one of the two sees the other.
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
        """Remove a call; returns whether it was still registered."""
        return self._waiting.pop(call_id, None) is not None

    def _expire(self, call: ApiCall, seconds: float) -> bool:
        """End a call after its timeout; False if it has ended already."""
        waiting = self._waiting.pop(call.id, None)
        if waiting is None:
            return False
        text = f"{call} gave no answer in {seconds:g} seconds; it may still run in HKube"
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
            except KeyError:  # all have ended; other threads may have ended some
                break
            waiting.end(None, self._refusal(waiting.call))


def _failure(call: ApiCall, answer: CallAnswer) -> CallError | None:
    if answer.kind is _DONE:
        return None
    if answer.kind is AnswerKind.STOPPED:
        return call.family.stopped(answer.reason or f"{call} was stopped")
    return call.family.failed(answer.error or f"{call} failed; HKube gave no reason")


def _task_over(consequence: str) -> TaskOver:
    return TaskOver(
        f"the task of this HKubeApi has ended, {consequence}; end your threads before start returns"
    )
