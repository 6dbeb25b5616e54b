"""One task of an algorithm, from `initialize` to its outcome, as HKube's worker sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from ...errors import WrapperError
from ...protocol.messages import commands
from . import events
from .answers import Answers, Call, Failure, Later, Reply, Result
from .call_messages import (
    Message,
    parse_call,
    parse_stop,
    reply_message,
    started_message,
    unknown_call_message,
)
from .connection import AlgorithmConnection
from .storage import LocalStorage

Notify = Callable[..., None]
"""Reports an event, given its class, the task's id and its attributes by name."""

Cancel = Callable[[str], None]
"""Cancels the work on a call's answer, for a reason."""


class LocalTask:
    """One task's state.

    Attributes:
        job: the data of `initialize`.
        outcome: how the task ended, once it has.
    """

    def __init__(
        self,
        job: Mapping[str, Any],
        answers: Answers,
        notify: Notify,
        storage: LocalStorage | None = None,
    ) -> None:
        self.job = job
        self.outcome: Future[events.Outcome] = Future()
        self._answers = answers
        self._notify = notify
        self._lock = threading.Lock()
        self._link: AlgorithmConnection | None = None
        self._calls: dict[str, Cancel] = {}
        self._stopping = False
        self._over = False
        self._storage = storage
        self._storing: Any = None  # mode v3: where the result is

    @property
    def task_id(self) -> str | None:
        """The task's id in the job."""
        return self.job.get("taskId")

    @property
    def over(self) -> bool:
        """Whether the task has ended."""
        return self._over

    def connected(self, link: AlgorithmConnection) -> None:
        """Send the task over a connection, unless it was sent already."""
        with self._lock:
            if self._link is not None or self._over:
                return
            self._link = link
        try:
            job = self.job if self._storage is None else self._storage.stored_job(self.job)
            self._send(link, commands.INITIALIZE, dict(job))
        except WrapperError as error:  # the encoding cannot represent the job
            self.finish(events.Failed(error.code, str(error), ""))

    def disconnected(self, link: AlgorithmConnection) -> None:
        """Handle a closed connection: a task that was sent over it is lost."""
        if self._link is link:
            self.finish(events.Lost(link.lost_reason))

    def stopping(self) -> None:
        """Prepare for a `stop`: from now on only `stopped` ends the task."""
        self._stopping = True

    def finish(self, outcome: events.Outcome) -> None:
        """Set the task's outcome, unless it has one."""
        with self._lock:
            if self._over:
                return
            self._over = True
            calls, self._calls = list(self._calls.values()), {}
        for cancel in calls:  # as in HKube, what a task started ends with it
            cancel(_why_calls_end(outcome))
        self._report(events.TaskCompleted, outcome=outcome)
        self.outcome.set_result(outcome)

    def handle(self, link: AlgorithmConnection, command: str, message: Message) -> None:
        """Handle one message of the algorithm."""
        data = message.get("data")
        if command in (commands.DONE, commands.ERROR_MESSAGE):
            if not self._stopping:
                done = command == commands.DONE
                self.finish(self._done(data) if done else _failed(message.get("error")))
        elif command == commands.STORING and self._storage is not None:
            self._storing = data
            self._report(events.Received, command=command)
        elif command in (commands.PROGRESS, commands.START_SPAN, commands.FINISH_SPAN):
            self._observe(command, data)
        elif command == commands.STREAMING_OUT_MESSAGE and isinstance(data, dict):
            flow = data.get("flowName")
            self._report(events.StreamMessageSent, value=data.get("message"), flow=flow)
        elif command == commands.STREAMING_STATISTICS:
            self._statistics(data)
        elif (call := parse_call(command, data)) is not None:
            self._answer(link, call)
        elif (stop := parse_stop(command, data)) is not None:
            cancel = self._forget(stop.call_id)
            if cancel is None:
                link.send(unknown_call_message(command, stop.call_id))
            else:
                cancel(f"stopped by algorithm: {stop.reason}")
        else:
            self._phase(link, command)

    def _statistics(self, data: Any) -> None:
        children = self.job.get("childs") or ()
        are_valid = isinstance(data, list) and all(
            isinstance(each, dict) and each.get("nodeName") in children for each in data
        )
        if are_valid:
            self._report(events.StatisticsCame, reports=tuple(data))
        else:  # HKube's worker would exit
            self._report(events.Violation, text=f"'{commands.STREAMING_STATISTICS}' of no child")

    def _done(self, data: Any) -> events.Outcome:
        if self._storage is None:
            return events.Done(data)
        try:
            return events.Done(self._storage.result_of(self._storing))
        except WrapperError as error:
            return events.Failed(error.code, f"its result cannot be read: {error}", "")

    def _phase(self, link: AlgorithmConnection, command: str) -> None:
        if command not in _PHASES:
            self._report(events.Violation, text=f"'{command}', which is not a command")
            return
        self._report(events.Received, command=command)
        if command == commands.INITIALIZED and not self._stopping:
            self._send(link, commands.START, {"spanId": self.job.get("spanId")})
        elif command == commands.STOPPED:
            self.finish(events.Stopped())

    def _observe(self, command: str, data: Any) -> None:
        body = data if isinstance(data, dict) else {}
        if command == commands.PROGRESS:
            value, details = body.get("progress"), body.get("details")
            self._report(events.Progress, value=value, details=details)
        elif not isinstance(data, dict):
            self._report(events.Violation, text=f"'{command}' without data")
        elif command == commands.START_SPAN:
            tags = body.get("tags") or {}
            self._report(events.SpanStarted, name=str(body.get("name")), tags=tags)
        else:
            tags = body.get("tags") or {}
            self._report(events.SpanFinished, tags=tags, error=body.get("error"))

    def _answer(self, link: AlgorithmConnection, call: Call) -> None:
        with self._lock:
            if self._over:
                return
            self._calls[call.call_id] = _nothing_to_cancel
        if self._storage is not None:
            try:
                call = self._storage.call_with_input(call)
            except WrapperError as error:
                self._reply(link, call, Failure(str(error)))
                return
        self._report(events.CallStarted, call=call)
        answer = self._answers.find(call)
        if isinstance(answer, Later):
            self._start(link, call, answer)
        elif callable(answer):
            arguments = (link, call, answer)
            name = f"call {call.call_id}"
            threading.Thread(target=self._compute, args=arguments, name=name, daemon=True).start()
        else:
            self._reply(link, call, answer)

    def _start(self, link: AlgorithmConnection, call: Call, answer: Later) -> None:
        started = started_message(call)
        if started is not None:
            link.send(started)
        cancel = answer.start(call, lambda reply: self._reply(link, call, reply))
        with self._lock:
            is_open = call.call_id in self._calls
            if is_open:
                self._calls[call.call_id] = cancel
        if not is_open:  # the task ended meanwhile, or the reply has come
            cancel("the task that made the call has ended")

    def _compute(
        self, link: AlgorithmConnection, call: Call, answer: Callable[[Call], Any]
    ) -> None:
        try:
            value = answer(call)
        except (
            BaseException
        ) as error:  # boundary: the answer's author may raise anything, SystemExit too
            value = Failure(f"{type(error).__name__}: {error}")
        reply = value if isinstance(value, Reply) else Result(value)
        self._reply(link, call, reply)

    def _reply(self, link: AlgorithmConnection, call: Call, reply: Reply) -> None:
        if self._forget(call.call_id) is None or self._over:
            return
        reply, frame = self._encoded(link, call, reply)
        self._report(events.CallAnswered, call=call, reply=reply)
        link.send_frame(frame)

    def _encoded(self, link: AlgorithmConnection, call: Call, reply: Reply) -> tuple[Reply, bytes]:
        """Encode a reply; if that fails, encode a failure, so that the call ends."""
        try:
            return reply, link.encode(reply_message(call, self._stored(call, reply)), "answer")
        except WrapperError as error:
            failure = Failure(str(error))
            return failure, link.encode(reply_message(call, failure), "answer")

    def _stored(self, call: Call, reply: Reply) -> Reply:
        if self._storage is None:
            return reply
        return self._storage.stored_reply(call, reply, str(self.job["jobId"]))

    def _forget(self, call_id: str) -> Cancel | None:
        with self._lock:
            return self._calls.pop(call_id, None)

    def _send(self, link: AlgorithmConnection, command: str, data: Message) -> None:
        self._report(events.Sent, command=command)
        link.send({"command": command, "data": data}, "job")

    def _report(self, kind: type[events.WorkerEvent], **facts: Any) -> None:
        self._notify(kind, self.task_id, **facts)


_PHASES = (
    commands.INITIALIZED,
    commands.STARTED,
    commands.ALIVE,
    commands.STOPPING,
    commands.STOPPED,
)


def _nothing_to_cancel(reason: str) -> None:
    """Do nothing: an immediate answer cannot be cancelled."""


def _why_calls_end(outcome: events.Outcome) -> str:
    if isinstance(outcome, events.Failed):
        return f"parent algorithm failed: {outcome.message}"
    if isinstance(outcome, events.Stopped):
        return "parent algorithm stopped"
    return "parent algorithm ended"


def _failed(error: Any) -> events.Failed:
    body = error if isinstance(error, dict) else {"message": error}
    texts = (body.get("code"), body.get("message"), body.get("details"))
    code, message, details = (str(text) if text is not None else "" for text in texts)
    return events.Failed(code, message or "unknown error", details)
