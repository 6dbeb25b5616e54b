"""The shapes of the protocol's messages, and answers with missing or odd fields."""

from __future__ import annotations

from typing import Any

import pytest

from wrapper.protocol.messages import shapes
from wrapper.protocol.messages.shapes import AnswerKind, CallAnswer


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (shapes.done(0), {"command": "done", "data": 0}),
        (shapes.done(None), {"command": "done", "data": None}),
        (
            shapes.error_message("LoadError", "no start", "line 1"),
            {
                "command": "errorMessage",
                "error": {"code": "LoadError", "message": "no start", "details": "line 1"},
            },
        ),
        (
            shapes.progress(30, "reading"),
            {"command": "progress", "data": {"progress": 30, "details": "reading"}},
        ),
        (
            shapes.progress(30),
            {"command": "progress", "data": {"progress": 30, "details": None}},
        ),
        (
            shapes.start_span("load", {"rows": 5}),
            {"command": "startSpan", "data": {"name": "load", "tags": {"rows": 5}}},
        ),
        (
            shapes.start_span("load"),
            {"command": "startSpan", "data": {"name": "load", "tags": {}}},
        ),
        (shapes.finish_span(), {"command": "finishSpan", "data": {}}),
        (
            shapes.finish_span({"rows": 5}, "too few"),
            {"command": "finishSpan", "data": {"tags": {"rows": 5}, "error": "too few"}},
        ),
        (
            shapes.start_raw_sub_pipeline(
                "1", "p", [{"nodeName": "n"}], {"a": 1}, {"ttl": 5}, {"result": "u"}, False
            ),
            {
                "command": "startRawSubPipeline",
                "data": {
                    "subPipeline": {
                        "name": "p",
                        "nodes": [{"nodeName": "n"}],
                        "flowInput": {"a": 1},
                        "options": {"ttl": 5},
                        "webhooks": {"result": "u"},
                    },
                    "subPipelineId": "1",
                    "includeResult": False,
                },
            },
        ),
        (
            shapes.start_raw_sub_pipeline("1", "p", []),
            {
                "command": "startRawSubPipeline",
                "data": {
                    "subPipeline": {
                        "name": "p",
                        "nodes": [],
                        "flowInput": {},
                        "options": {},
                        "webhooks": {},
                    },
                    "subPipelineId": "1",
                    "includeResult": True,
                },
            },
        ),
        (
            shapes.start_stored_sub_pipeline("2", "simple", {"a": 1}, True),
            {
                "command": "startStoredSubPipeline",
                "data": {
                    "subPipeline": {"name": "simple", "flowInput": {"a": 1}},
                    "subPipelineId": "2",
                    "includeResult": True,
                },
            },
        ),
        (
            shapes.stop_sub_pipeline("2", "enough"),
            {"command": "stopSubPipeline", "data": {"subPipelineId": "2", "reason": "enough"}},
        ),
        (
            shapes.start_algorithm_execution("3", "green-alg", [1], False),
            {
                "command": "startAlgorithmExecution",
                "data": {
                    "execId": "3",
                    "algorithmName": "green-alg",
                    "input": [1],
                    "includeResult": False,
                },
            },
        ),
        (
            shapes.stop_algorithm_execution("3"),
            {"command": "stopAlgorithmExecution", "data": {"execId": "3", "reason": ""}},
        ),
        (
            shapes.data_source_request("4", {"snapshotId": "s"}),
            {
                "command": "dataSourceRequest",
                "data": {"requestId": "4", "dataSource": {"snapshotId": "s"}},
            },
        ),
        (shapes.log_data(["a", "b"]), {"command": "logData", "data": ["a", "b"]}),
    ],
)
def test_outgoing_messages(message: dict[str, Any], expected: dict[str, Any]) -> None:
    assert message == expected


def test_each_call_makes_a_new_message() -> None:
    first = shapes.start_span("a")
    first["data"]["tags"]["x"] = 1
    assert shapes.start_span("a")["data"]["tags"] == {}


DONE, ERROR = AnswerKind.DONE, AnswerKind.ERROR


@pytest.mark.parametrize(
    ("command", "data", "answer"),
    [
        ("subPipelineStarted", {"subPipelineId": "1"}, CallAnswer(AnswerKind.STARTED, "1")),
        ("subPipelineDone", {"subPipelineId": "1", "response": [5]}, CallAnswer(DONE, "1", [5])),
        (
            "subPipelineDone",
            {"subPipelineId": "1", "error": "it broke"},
            CallAnswer(ERROR, "1", error="it broke"),
        ),
        (
            "subPipelineError",
            {"subPipelineId": "2", "error": "no such"},
            CallAnswer(ERROR, "2", error="no such"),
        ),
        ("subPipelineError", {"error": "no such"}, CallAnswer(ERROR, None, error="no such")),
        (
            "subPipelineStopped",
            {"subPipelineId": "3", "reason": "by user"},
            CallAnswer(AnswerKind.STOPPED, "3", reason="by user"),
        ),
        (
            "subPiplineStopped",
            {"subPipelineId": "3", "reason": "by user"},
            CallAnswer(AnswerKind.STOPPED, "3", reason="by user"),
        ),
        ("subPipelineStopped", {"subPipelineId": "3"}, CallAnswer(AnswerKind.STOPPED, "3")),
        ("algorithmExecutionDone", {"execId": "4", "response": 0}, CallAnswer(DONE, "4", 0)),
        (
            "algorithmExecutionError",
            {"execId": "4", "response": "text from the debug gateway"},
            CallAnswer(ERROR, "4", error="text from the debug gateway"),
        ),
        (
            "dataSourceResponse",
            {"requestId": "5", "response": {"name": "d"}, "error": None},
            CallAnswer(DONE, "5", {"name": "d"}),
        ),
        (
            "dataSourceResponse",
            {"requestId": "5", "error": "no such source"},
            CallAnswer(ERROR, "5", error="no such source"),
        ),
    ],
)
def test_answers(command: str, data: Any, answer: CallAnswer) -> None:
    assert shapes.parse_answer(command, data) == answer


@pytest.mark.parametrize("command", ["start", "initialize", "", "subpipelinedone"])
def test_other_commands_are_not_answers(command: str) -> None:
    assert shapes.parse_answer(command, {"subPipelineId": "1"}) is None


@pytest.mark.parametrize(("given", "call_id"), [(7, "7"), (7.0, "7"), ("7", "7"), (None, None)])
def test_id_is_text(given: Any, call_id: str | None) -> None:
    answer = shapes.parse_answer("subPipelineDone", {"subPipelineId": given})
    assert answer is not None
    assert answer.call_id == call_id


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"message": "deep"}, "deep"),
        ({"code": 5}, "{'code': 5}"),
        (["a"], "['a']"),
        (404, "404"),
    ],
)
def test_error_other_than_text(error: Any, text: str) -> None:
    answer = shapes.parse_answer("subPipelineError", {"subPipelineId": "1", "error": error})
    assert answer == CallAnswer(ERROR, "1", error=text)


@pytest.mark.parametrize("data", [None, {}, [], 0, {"error": None}, {"error": ""}])
@pytest.mark.parametrize("command", ["subPipelineError", "algorithmExecutionError"])
def test_error_always_has_a_text(command: str, data: Any) -> None:
    answer = shapes.parse_answer(command, data)
    assert answer is not None
    assert answer.kind is ERROR
    assert answer.error is not None
    assert "gave no reason" in answer.error


def test_error_whose_data_is_its_text() -> None:
    assert shapes.parse_answer("subPipelineError", "bad") == CallAnswer(ERROR, None, error="bad")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"exitCode": 3}, 3),
        ({"exitCode": 3.0}, 3),
        ({"exitCode": 3.5}, 0),
        ({"exitCode": float("nan")}, 0),
        ({"exitCode": 300}, 255),
        ({"exitCode": -1}, 0),
        ({"exitCode": "3"}, 0),
        ({"exitCode": True}, 0),
        ({"exitCode": None}, 0),
        ({}, 0),
        (None, 0),
        (3, 0),
    ],
)
def test_exit_code(data: Any, code: int) -> None:
    assert shapes.exit_code(data) == code


@pytest.mark.parametrize(
    ("message", "keys", "path"),
    [
        (shapes.done({"data": 1}), ["data", "data"], ["result", "data"]),
        (shapes.done(1), ["data"], ["result"]),
        (shapes.progress(1, {}), ["data", "details", "a"], ["details", "a"]),
        (
            shapes.start_stored_sub_pipeline("1", "p", {}),
            ["data", "subPipeline", "flowInput", "a"],
            ["flowInput", "a"],
        ),
        (shapes.log_data([]), ["data", 3], ["result", 3]),
        (shapes.error_message("c", "m"), ["error", "details"], ["error", "details"]),
        (shapes.progress(1), ["data"], ["result"]),
        (shapes.progress(1), [], ["result"]),
    ],
)
def test_path_in_the_users_terms(message: dict[str, Any], keys: list[Any], path: list[Any]) -> None:
    assert shapes.users_path(message, keys, "result") == path
