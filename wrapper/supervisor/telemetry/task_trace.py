"""The spans of a task, from the messages that begin, accompany and end it.

No socket, clock or thread is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...protocol.messages import commands
from ...protocol.messages.shapes import AnswerKind, parse_answer
from ...protocol.messages.task_ids import IDS_WITHIN, read_ids
from ...protocol.messages.trace_context import find_context
from .finished_span import CLIENT, INTERNAL, SERVER, FinishedSpan
from .seen_message import SeenMessage

_MAX_OPEN = 10_000  # spans and calls of one task; user code may open them without end
_EVENTS = frozenset(
    (commands.INITIALIZED, commands.STARTED, commands.STOPPING, commands.STOP, commands.START)
)
# Of each call of the code API: where its id is, and how to find the name of what it starts.
_CALLS: dict[str, tuple[str, Callable[[Mapping[str, Any]], Any]]] = {
    commands.START_ALGORITHM_EXECUTION: ("execId", lambda data: data["algorithmName"]),
    commands.START_RAW_SUB_PIPELINE: ("subPipelineId", lambda data: data["subPipeline"]["name"]),
    commands.START_STORED_SUB_PIPELINE: (
        "subPipelineId",
        lambda data: data["subPipeline"]["name"],
    ),
    commands.DATA_SOURCE_REQUEST: ("requestId", lambda data: "data source"),
}


class TaskTrace:
    """Follows one task after the other.

    Args:
        encoding: the encoding of the messages.
        emit: takes each span that is over.
        clock: nanoseconds since 1970.
        new_id: returns that many random hexadecimal digits.
    """

    def __init__(
        self,
        encoding: str,
        emit: Callable[[FinishedSpan], None],
        clock: Callable[[], int],
        new_id: Callable[[int], str],
    ) -> None:
        self._encoding = encoding
        self._emit = emit
        self._clock = clock
        self._new_id = new_id
        self._task: _OpenSpan | None = None
        self._sections: list[_OpenSpan] = []
        self._calls: dict[str, _OpenSpan] = {}

    def from_worker(self, message: SeenMessage) -> None:
        """Note a message of the worker."""
        command = message.command
        if command == commands.INITIALIZE:
            self.abandon("HKube began another task before this one had ended")
            self._begin(message)
        elif self._task is not None and command in commands.ANSWERS:
            self._answer(command, message.data)
        elif command in _EVENTS:
            self._event(f"{command} received")

    def to_worker(self, message: SeenMessage) -> None:
        """Note a message to the worker."""
        command, task = message.command, self._task
        if task is None:
            return
        if command in _EVENTS:
            self._event(command)
        elif command == commands.START_SPAN:
            self._open_section(message.data)
        elif command == commands.FINISH_SPAN:
            self._close_section(message.data)
        elif command in _CALLS:
            self._open_call(command, message.data)
        elif command in (commands.DONE, commands.STOPPED):
            self._end(command, None)
        elif command == commands.ERROR_MESSAGE:
            error = message.error
            fields = error if isinstance(error, Mapping) else {}
            task.attributes["error.type"] = str(fields.get("code", "unknown"))
            self._end("error", str(fields.get("message", "the task failed")))

    def abandon(self, reason: str) -> None:
        """End the task's spans: it will send no final message."""
        self._end("abandoned", reason)

    def _begin(self, message: SeenMessage) -> None:
        head = bytes(message.payload[:IDS_WITHIN])
        context = find_context(head)
        if context is not None and not context.is_sampled:
            return
        names = ("hkube.job.id", "hkube.task.id", "hkube.node.name")
        ids = zip(names, read_ids(self._encoding, head).split(), strict=False)
        attributes: dict[str, Any] = {name: value for name, value in ids if value != "-"}
        trace_id = context.trace_id if context is not None else self._new_id(32)
        parent = context.span_id if context is not None else ""
        name = f"task {attributes.get('hkube.node.name', '')}".strip()
        self._task = _OpenSpan(
            trace_id, self._new_id(16), parent, name, SERVER, self._clock(), attributes
        )

    def _event(self, name: str) -> None:
        if self._task is not None and len(self._task.events) < _MAX_OPEN:
            self._task.events.append((self._clock(), name))

    def _open_section(self, data: Any) -> None:
        fields = data if isinstance(data, Mapping) else {}
        tags = fields.get("tags")
        above = self._sections[-1] if self._sections else self._task
        assert above is not None
        if len(self._sections) < _MAX_OPEN:
            section = self._below(above, str(fields.get("name", "span")), INTERNAL)
            section.attributes.update(tags if isinstance(tags, Mapping) else {})
            self._sections.append(section)

    def _close_section(self, data: Any) -> None:
        if not self._sections:
            return
        fields = data if isinstance(data, Mapping) else {}
        section, tags, error = self._sections.pop(), fields.get("tags"), fields.get("error")
        section.attributes.update(tags if isinstance(tags, Mapping) else {})
        self._finish(section, None if error is None else str(error))

    def _open_call(self, command: str, data: Any) -> None:
        id_field, name_of = _CALLS[command]
        try:
            call_id, name = str(data[id_field]), str(name_of(data))
        except (KeyError, TypeError):  # too large to be decoded on the way
            return
        above = self._sections[-1] if self._sections else self._task
        assert above is not None
        if len(self._calls) < _MAX_OPEN:
            call = self._below(above, f"{command} {name}", CLIENT)
            call.attributes["hkube.call.id"] = call_id
            self._calls[call_id] = call

    def _answer(self, command: str, data: Any) -> None:
        answer = parse_answer(command, data)
        if answer is None or answer.kind is AnswerKind.STARTED or answer.call_id is None:
            return
        call = self._calls.pop(answer.call_id, None)
        if call is not None:
            call.attributes["hkube.call.outcome"] = answer.kind.value
            self._finish(call, answer.error)

    def _below(self, above: _OpenSpan, name: str, kind: int) -> _OpenSpan:
        new_id = self._new_id(16)
        return _OpenSpan(above.trace_id, new_id, above.span_id, name, kind, self._clock(), {})

    def _end(self, outcome: str, error: str | None) -> None:
        task = self._task
        if task is None:
            return
        for call in self._calls.values():
            call.attributes["hkube.call.outcome"] = "not answered before the task ended"
            self._finish(call, None)
        for section in reversed(self._sections):
            self._finish(section, error)
        task.attributes["hkube.task.outcome"] = outcome
        self._finish(task, error)
        self._task = None
        self._sections, self._calls = [], {}

    def _finish(self, span: _OpenSpan, error: str | None) -> None:
        self._emit(span.finished(self._clock(), error))


class _OpenSpan:
    """A span that is not over; see `FinishedSpan`."""

    def __init__(
        self,
        trace_id: str,
        span_id: str,
        parent_id: str,
        name: str,
        kind: int,
        start: int,
        attributes: dict[str, Any],
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.attributes = attributes
        self.events: list[tuple[int, str]] = []
        self._parent_id = parent_id
        self._name = name
        self._kind = kind
        self._start = start

    def finished(self, end: int, error: str | None) -> FinishedSpan:
        return FinishedSpan(
            self.trace_id,
            self.span_id,
            self._parent_id,
            self._name,
            self._kind,
            self._start,
            max(self._start, end),
            self.attributes,
            tuple(self.events),
            error,
        )
