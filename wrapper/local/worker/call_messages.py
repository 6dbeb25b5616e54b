"""The worker's side of the code API: parses requests and makes replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...protocol.messages import commands
from .answers import Call, CallKind, Cancelled, Failure, Reply, Result

Message = dict[str, Any]


def parse_call(command: str, data: Any) -> Call | None:
    """Return the call that an algorithm's message makes, or None for any other message."""
    body: Mapping[str, Any] = data if isinstance(data, dict) else {}
    if command == commands.START_ALGORITHM_EXECUTION:
        return Call(
            CallKind.ALGORITHM,
            call_id=str(body.get("execId")),
            name=str(body.get("algorithmName")),
            input=body.get("input"),
            include_result=bool(body.get("includeResult")),
            body=body,
        )
    if command == commands.DATA_SOURCE_REQUEST:
        source = body.get("dataSource")
        return Call(
            CallKind.DATA_SOURCE,
            call_id=str(body.get("requestId")),
            name=_source_name(source),
            input=source,
            include_result=True,
            body=body,
        )
    kind = {
        commands.START_STORED_SUB_PIPELINE: CallKind.STORED_PIPELINE,
        commands.START_RAW_SUB_PIPELINE: CallKind.RAW_PIPELINE,
    }.get(command)
    if kind is None:
        return None
    pipeline = body.get("subPipeline")
    pipeline = pipeline if isinstance(pipeline, dict) else {}
    return Call(
        kind,
        call_id=str(body.get("subPipelineId")),
        name=str(pipeline.get("name")),
        input=pipeline.get("flowInput"),
        include_result=bool(body.get("includeResult")),
        body=body,
    )


@dataclass(frozen=True)
class StopCall:
    """A running algorithm's request to stop what one of its calls started."""

    call_id: str
    reason: str


def parse_stop(command: str, data: Any) -> StopCall | None:
    """Return the request to stop a call, or None for any other message."""
    key = {
        commands.STOP_SUB_PIPELINE: "subPipelineId",
        commands.STOP_ALGORITHM_EXECUTION: "execId",
    }.get(command)
    if key is None:
        return None
    body = data if isinstance(data, dict) else {}
    call_id = str(body.get(key)) if isinstance(data, dict) else ""
    return StopCall(call_id, str(body.get("reason") or ""))


def started_message(call: Call) -> Message | None:
    """Return what HKube's worker sends when a call begins, or None if it sends nothing."""
    if call.kind in (CallKind.STORED_PIPELINE, CallKind.RAW_PIPELINE):
        return {
            "command": commands.SUB_PIPELINE_STARTED,
            "data": {"subPipelineId": call.call_id},
        }
    return None


def reply_message(call: Call, reply: Reply) -> Message:
    """Return the message that answers a call as HKube's worker would."""
    if call.kind is CallKind.DATA_SOURCE:
        if isinstance(reply, Result):
            data = {"requestId": call.call_id, "response": reply.value, "error": None}
        else:
            data = {"requestId": call.call_id, "response": None, "error": _text(reply)}
        return {"command": commands.DATA_SOURCE_RESPONSE, "data": data}
    if call.kind is CallKind.ALGORITHM:
        if isinstance(reply, Result):
            data = {"execId": call.call_id, "response": _response(call, reply)}
            return {"command": commands.ALGORITHM_EXECUTION_DONE, "data": data}
        data = {"execId": call.call_id, "error": _text(reply)}
        return {"command": commands.ALGORITHM_EXECUTION_ERROR, "data": data}
    return _pipeline_message(call, reply)


def unknown_call_message(command: str, call_id: str) -> Message:
    """Return the answer to a request to stop an unknown call."""
    if command == commands.STOP_SUB_PIPELINE:
        data = {"subPipelineId": call_id, "error": f"unable to find subPipeline {call_id}"}
        return {"command": commands.SUB_PIPELINE_ERROR, "data": data}
    data = {"execId": call_id, "error": f"unable to find execution {call_id}"}
    return {"command": commands.ALGORITHM_EXECUTION_ERROR, "data": data}


def _pipeline_message(call: Call, reply: Reply) -> Message:
    if isinstance(reply, Result):
        data = {"response": _response(call, reply), "subPipelineId": call.call_id}
        return {"command": commands.SUB_PIPELINE_DONE, "data": data}
    if isinstance(reply, Failure):
        data = {"subPipelineId": call.call_id, "error": reply.text}
        return {"command": commands.SUB_PIPELINE_ERROR, "data": data}
    data = {"subPipelineId": call.call_id, "reason": reply.reason}
    return {"command": commands.SUB_PIPELINE_STOPPED, "data": data}


def _response(call: Call, reply: Result) -> Any:
    if call.include_result:
        return reply.value
    return {"storageInfo": {"path": f"local/{call.call_id}"}}


def _text(reply: Failure | Cancelled) -> str:
    return reply.text if isinstance(reply, Failure) else reply.reason


def _source_name(source: Any) -> str:
    if not isinstance(source, dict):
        return str(source)
    names = (source.get(key) for key in ("name", "dataSourceId", "snapshotId", "id"))
    return next((str(name) for name in names if name is not None), "?")
