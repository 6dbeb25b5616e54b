"""User code's own OpenTelemetry, with the real SDK: its spans hang below HKube's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Serve
from .harness.process import json_lines

INITIALIZE = {"uber-trace-id": "abc:11:0:1"}
START = {"uber-trace-id": "abc:22:11:1"}
TRACE = f"{0xABC:032x}"


def traced(worker: Any, how: str, initialize: Any = INITIALIZE, start: Any = START) -> Any:
    """Run a task whose messages say where it stands in its trace."""
    worker.initialize(how, spanId=initialize)
    worker.expect("initialized")
    worker.send("start", {"spanId": start} if start is not None else {})
    worker.expect("started")
    message = worker.finish()
    assert message.command == "done", message
    return message.data


@pytest.mark.parametrize("when", ["eagerly", "lazily"])
def test_users_spans_hang_below_hkubes(serve: Serve, when: str) -> None:
    worker, _ = serve("traces", env={"IMPORT_OPENTELEMETRY": when})
    assert traced(worker, "look") == {
        "initialize": [TRACE, f"{0x11:016x}"],
        "start": [TRACE, f"{0x22:016x}"],
        "variable": f"00-{TRACE}-{0x22:016x}-01",
    }


def test_task_without_a_trace_does_not_inherit_that_of_the_one_before(serve: Serve) -> None:
    worker, _ = serve("traces", env={"IMPORT_OPENTELEMETRY": "eagerly"})
    traced(worker, "look")
    nothing = {"initialize": None, "start": None, "variable": None}
    assert traced(worker, "look", initialize={}, start=None) == nothing


def test_start_without_a_span_uses_the_one_of_initialize(serve: Serve) -> None:
    worker, _ = serve("traces")
    assert traced(worker, "look", start=None)["start"] == [TRACE, f"{0x11:016x}"]


ASYNC = {
    "main.py": """
import asyncio
from opentelemetry import trace

async def start(args, api):
    await asyncio.sleep(0)
    async def inner():
        return f"{trace.get_current_span().get_span_context().span_id:x}"
    return await asyncio.gather(inner(), asyncio.create_task(inner()))
"""
}


def test_async_start_and_its_tasks_have_the_context(serve: Serve) -> None:
    worker, _ = serve(ASYNC)
    assert traced(worker, "anything") == ["22", "22"]


def test_opentelemetry_is_not_imported_for_code_that_does_not_use_it(serve: Serve) -> None:
    worker, _ = serve("traces")
    assert traced(worker, "touch nothing") == []


def test_json_log_has_the_ids_of_trace_and_span(serve: Serve) -> None:
    worker, wrapper = serve("raises", env={"HKUBE_LOG_FORMAT": "json"})
    worker.fail("key", spanId=INITIALIZE)
    worker.send("stop")
    worker.expect("stopped")
    wrapper.wait_for_log("the worker asks to stop")
    lines = [line for line in json_lines(wrapper.stderr) if "taskId" in line]
    assert {json.dumps(line["level"]) for line in lines} == {'"error"', '"info"'}  # both processes
    assert {(line["traceId"], line["spanId"]) for line in lines} == {(TRACE, f"{0x11:016x}")}
