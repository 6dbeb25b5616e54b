"""The spans of a task, from messages in any order."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapper.protocol.messages import commands, shapes
from wrapper.protocol.messages.commands import INITIALIZE
from wrapper.supervisor.telemetry import task_trace
from wrapper.supervisor.telemetry.finished_span import FinishedSpan
from wrapper.supervisor.telemetry.seen_message import SeenMessage
from wrapper.supervisor.telemetry.task_trace import TaskTrace


class Traced:
    """A trace, its clock (one more at each look) and what it emits."""

    def __init__(self) -> None:
        self.spans: list[FinishedSpan] = []
        times, ids = count(1), count(1)
        self.trace = TaskTrace(
            "json", self.spans.append, lambda: next(times), lambda digits: f"{next(ids):0{digits}x}"
        )

    def worker(self, command: str, **data: Any) -> None:
        self.trace.from_worker(seen({"command": command, "data": data}))

    def ours(self, message: dict[str, Any]) -> None:
        self.trace.to_worker(seen(message))

    def named(self, name: str) -> FinishedSpan:
        (span,) = [span for span in self.spans if span.name == name]
        return span


def seen(message: dict[str, Any]) -> SeenMessage:
    return SeenMessage(message["command"], json.dumps(message).encode(), "json")


@pytest.fixture
def traced() -> Traced:
    return Traced()


MESSAGES = [
    ("worker", {"command": "initialize", "data": {"taskId": "t"}}),
    ("worker", {"command": "start"}),
    ("worker", {"command": "stop"}),
    ("worker", {"command": "algorithmExecutionDone", "data": {"execId": "1", "response": 1}}),
    ("worker", {"command": "algorithmExecutionDone", "data": None}),
    ("worker", {"command": "subPipelineError", "data": {"subPipelineId": 2, "error": "x"}}),
    ("ours", {"command": "initialized"}),
    ("ours", {"command": "alive"}),
    ("ours", shapes.start_span("section", {"a": 1})),
    ("ours", {"command": "startSpan", "data": None}),
    ("ours", shapes.finish_span({"b": 2}, "failed")),
    ("ours", {"command": "finishSpan"}),
    ("ours", shapes.start_algorithm_execution("1", "alg")),
    ("ours", shapes.start_stored_sub_pipeline("2", "pipe")),
    ("ours", shapes.start_raw_sub_pipeline("3", "raw", [])),
    ("ours", {"command": "startAlgorithmExecution", "data": None}),
    ("ours", shapes.data_source_request("4", {})),
    ("ours", shapes.done(1)),
    ("ours", shapes.error_message("Code", "text")),
    ("ours", {"command": "errorMessage", "error": 5}),
    ("ours", {"command": "stopped"}),
]


@given(st.lists(st.sampled_from(MESSAGES), max_size=40))
def test_spans_are_whole_and_form_a_tree_for_each_task_in_any_order_of_messages(
    messages: list[tuple[str, dict[str, Any]]],
) -> None:
    traced = Traced()
    for side, message in messages:
        method = traced.trace.from_worker if side == "worker" else traced.trace.to_worker
        method(seen(message))
    traced.trace.abandon("the end")
    tasks = [span for span in traced.spans if span.kind == 2]
    assert len(tasks) == [message["command"] for _, message in messages].count("initialize")
    ids = {span.span_id: span for span in traced.spans}
    assert len(ids) == len(traced.spans)
    for span in traced.spans:
        assert span.start <= span.end
        if span.parent_id:
            above = ids[span.parent_id]
            assert above.trace_id == span.trace_id
            assert above.start < span.start
            if above.kind == 2:
                assert span.end < above.end


def test_task_without_a_final_message_ends_when_another_begins(traced: Traced) -> None:
    traced.worker(INITIALIZE, nodeName="one")
    traced.worker(INITIALIZE, nodeName="two")
    assert traced.named("task one").error == "HKube began another task before this one had ended"


def test_call_that_is_never_answered_ends_with_the_task(traced: Traced) -> None:
    traced.worker(INITIALIZE)
    traced.ours(shapes.start_algorithm_execution("1", "alg"))
    traced.ours(shapes.done(None))
    call = traced.named("startAlgorithmExecution alg")
    assert call.error is None
    assert call.attributes["hkube.call.outcome"] == "not answered before the task ended"


def test_interim_answer_does_not_end_a_call(traced: Traced) -> None:
    traced.worker(INITIALIZE)
    traced.ours(shapes.start_stored_sub_pipeline("1", "pipe"))
    traced.worker(commands.SUB_PIPELINE_STARTED, subPipelineId="1")
    assert not traced.spans
    traced.worker(commands.SUB_PIPELINE_STOPPED, subPipelineId="1")
    assert traced.spans[0].attributes["hkube.call.outcome"] == "stopped"


def test_calls_hang_below_the_section_that_makes_them(traced: Traced) -> None:
    traced.worker(INITIALIZE)
    traced.ours(shapes.start_span("section"))
    traced.ours(shapes.data_source_request("1", {}))
    traced.ours(shapes.error_message("Code", "it failed"))
    section = traced.named("section")
    assert traced.named("dataSourceRequest data source").parent_id == section.span_id
    assert section.error == "it failed"


def test_large_messages_are_not_decoded_on_the_way(traced: Traced) -> None:
    traced.worker(INITIALIZE)
    traced.ours(shapes.start_algorithm_execution("1", "alg", ["x" * 70_000]))
    traced.ours(shapes.error_message("Code", "y" * 70_000))
    (task,) = traced.spans
    assert task.error == "the task failed"


def test_open_spans_and_events_are_bounded(traced: Traced, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_trace, "_MAX_OPEN", 3)
    traced.worker(INITIALIZE)
    for number in range(10):
        traced.ours(shapes.start_span(f"section {number}"))
        traced.ours(shapes.start_algorithm_execution(str(number), "alg"))
        traced.ours({"command": "stopping"})
    traced.ours(shapes.done(1))
    assert len(traced.spans) == 3 + 3 + 1
    assert len(traced.spans[-1].events) == 3
