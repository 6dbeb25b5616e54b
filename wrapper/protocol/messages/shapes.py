"""The shapes of the algorithm protocol's messages.

Only this folder knows the protocol's camelCase names. A message is
``{"command": str, "data": any}``; ``errorMessage`` has ``error`` in place of ``data``.
"""

# ruff: noqa: F405 (the names of the commands)
from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple

from .commands import *  # noqa: F403

Message = dict[str, Any]


def done(result: Any) -> Message:
    """Report success, with the task's result."""
    return {"command": DONE, "data": result}


def error_message(code: str, message: str, details: str = "") -> Message:
    """Report that the task failed; HKube shows the user only ``message``."""
    return {
        "command": ERROR_MESSAGE,
        "error": {"code": code, "message": message, "details": details},
    }


def progress(value: Any, details: Any = None) -> Message:
    """Report the task's progress."""
    return {"command": PROGRESS, "data": {"progress": value, "details": details}}


def start_span(name: str, tags: Mapping[str, Any] | None = None) -> Message:
    """Open a tracing span inside the one opened last."""
    return {"command": START_SPAN, "data": {"name": name, "tags": tags or {}}}


def finish_span(tags: Mapping[str, Any] | None = None, error: str | None = None) -> Message:
    """Close the span opened last; the worker requires ``data``, even if it is empty."""
    data: Message = {}
    if tags:
        data["tags"] = tags
    if error is not None:
        data["error"] = error
    return {"command": FINISH_SPAN, "data": data}


def start_raw_sub_pipeline(
    call_id: str,
    name: str,
    nodes: Sequence[Any],
    flow_input: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    webhooks: Mapping[str, Any] | None = None,
    include_result: bool = True,
) -> Message:
    """Start a sub-pipeline from a description of its nodes."""
    pipeline = {
        "name": name,
        "nodes": nodes,
        "flowInput": {} if flow_input is None else flow_input,
        "options": {} if options is None else options,
        "webhooks": {} if webhooks is None else webhooks,
    }
    return _start_sub_pipeline(START_RAW_SUB_PIPELINE, call_id, pipeline, include_result)


def start_stored_sub_pipeline(
    call_id: str,
    name: str,
    flow_input: Mapping[str, Any] | None = None,
    include_result: bool = True,
) -> Message:
    """Start the sub-pipeline that HKube has stored under this name."""
    pipeline = {"name": name, "flowInput": {} if flow_input is None else flow_input}
    return _start_sub_pipeline(START_STORED_SUB_PIPELINE, call_id, pipeline, include_result)


def stop_sub_pipeline(call_id: str, reason: str = "") -> Message:
    """Stop a sub-pipeline; the worker answers only if that fails."""
    return {"command": STOP_SUB_PIPELINE, "data": {"subPipelineId": call_id, "reason": reason}}


def start_algorithm_execution(
    call_id: str,
    algorithm_name: str,
    input: Sequence[Any] | None = None,
    include_result: bool = True,
) -> Message:
    """Start another algorithm with this input."""
    return {
        "command": START_ALGORITHM_EXECUTION,
        "data": {
            "execId": call_id,
            "algorithmName": algorithm_name,
            "input": [] if input is None else input,
            "includeResult": include_result,
        },
    }


def stop_algorithm_execution(call_id: str, reason: str = "") -> Message:
    """Stop an algorithm that ``start_algorithm_execution`` started."""
    return {"command": STOP_ALGORITHM_EXECUTION, "data": {"execId": call_id, "reason": reason}}


def data_source_request(call_id: str, data_source: Mapping[str, Any]) -> Message:
    """Request a data source: ``{"dataSourceId": …}`` or ``{"snapshotId": …}``."""
    return {
        "command": DATA_SOURCE_REQUEST,
        "data": {"requestId": call_id, "dataSource": data_source},
    }


def log_data(lines: Sequence[str]) -> Message:
    """Send lines of the algorithm's output to the debug gateway."""
    return {"command": LOG_DATA, "data": lines}


class AnswerKind(Enum):
    """What an answer reports about its call."""

    STARTED = "started"
    DONE = "done"
    ERROR = "error"
    STOPPED = "stopped"


class CallAnswer(NamedTuple):
    """An answer of the worker to a call of HKubeApi.

    Attributes:
        call_id: the id that the call was sent with; None if the answer has no id.
        response: the result of a DONE call.
        error: the text of an ERROR; None for the other kinds.
        reason: why a STOPPED call was stopped; None if HKube gives no reason.
    """

    kind: AnswerKind
    call_id: str | None
    response: Any = None
    error: str | None = None
    reason: str | None = None


# Looking up an enum's member runs Python code: too slow for something done for every answer.
_DONE = AnswerKind.DONE


def parse_answer(command: str, data: Any) -> CallAnswer | None:
    """Read an answer to a call; missing or odd fields are tolerated.

    Returns:
        None if the command is not an answer to a call.
    """
    shape = _ANSWERS.get(command)
    if shape is None:
        return None
    kind, id_field, what = shape
    if kind is _DONE and isinstance(data, dict) and not data.get("error"):  # nearly always
        return CallAnswer(kind, _call_id(data.get(id_field)), data.get("response"))
    fields = data if isinstance(data, dict) else {"response": data}
    call_id = _call_id(fields.get(id_field))
    error, response = fields.get("error"), fields.get("response")
    if kind is AnswerKind.ERROR or (kind is AnswerKind.DONE and error):
        # The debug gateway puts the text of an error into `response`.
        text = _text(error) or _text(response) or f"{what} failed; HKube gave no reason"
        return CallAnswer(AnswerKind.ERROR, call_id, error=text)
    if kind is AnswerKind.STOPPED:
        return CallAnswer(kind, call_id, reason=_text(fields.get("reason")) or _text(response))
    return CallAnswer(kind, call_id, response=response if kind is AnswerKind.DONE else None)


def exit_code(data: Any) -> int:
    """Return the exit code that ``exit`` asks for, 0 to 255; 0 if it gives none."""
    code = data.get("exitCode") if isinstance(data, dict) else None
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        return 0
    return min(max(code, 0), 255)


def users_path(message: Mapping[str, Any], keys: Sequence[Any], subject: str) -> list[Any]:
    """Translate a path within a message into the user's terms.

    The protocol's envelope is left out: ``data.subPipeline.flowInput.a`` is the user's
    ``flowInput.a``. The ``data`` of ``done``, and of a stored value (which has no command), is the
    subject itself.

    Args:
        keys: the path: the keys from the message down to a value.
        subject: the user's name for the whole value, such as ``result``.

    Returns:
        A name, and the keys that lead on from it.
    """
    if not keys or keys[0] != "data":
        return list(keys) or [subject]
    inner = list(keys[1:])
    if (
        message.get("command", DONE) == DONE
        or not isinstance(message.get("data"), dict)
        or not inner
    ):
        return [subject, *inner]
    return inner[1:] if inner[0] == "subPipeline" and len(inner) > 1 else inner


_ANSWERS = {
    SUB_PIPELINE_STARTED: (AnswerKind.STARTED, "subPipelineId", "the sub-pipeline"),
    SUB_PIPELINE_DONE: (AnswerKind.DONE, "subPipelineId", "the sub-pipeline"),
    SUB_PIPELINE_ERROR: (AnswerKind.ERROR, "subPipelineId", "the sub-pipeline"),
    SUB_PIPELINE_STOPPED: (AnswerKind.STOPPED, "subPipelineId", "the sub-pipeline"),
    SUB_PIPELINE_STOPPED_MISSPELT: (AnswerKind.STOPPED, "subPipelineId", "the sub-pipeline"),
    ALGORITHM_EXECUTION_DONE: (AnswerKind.DONE, "execId", "the algorithm"),
    ALGORITHM_EXECUTION_ERROR: (AnswerKind.ERROR, "execId", "the algorithm"),
    DATA_SOURCE_RESPONSE: (AnswerKind.DONE, "requestId", "the request for a data source"),
}


def _start_sub_pipeline(
    command: str, call_id: str, pipeline: Message, include_result: bool
) -> Message:
    # Without includeResult the worker answers with a storage path, not with the result.
    return {
        "command": command,
        "data": {
            "subPipeline": pipeline,
            "subPipelineId": call_id,
            "includeResult": include_result,
        },
    }


def _call_id(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value)


def _text(value: Any) -> str | None:
    """Return the text of an error field: a string, an object with a message, or anything else."""
    if isinstance(value, dict) and value.get("message"):
        value = value["message"]
    return str(value) if value else None
