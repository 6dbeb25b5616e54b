"""Traces for operators: a task's spans over OTLP, to a receiver on real HTTP."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest

from tests.otlp_receiver import OtlpReceiver, Span

from .conftest import Serve

CARRIER = {"uber-trace-id": "abc:11:0:1"}
TRACE, HKUBE = f"{0xABC:032x}", f"{0x11:016x}"


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    receiver = OtlpReceiver()
    yield receiver
    receiver.close()


def environment(receiver: OtlpReceiver) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "ALGORITHM_TYPE": "green-alg"}


def task_span(receiver: OtlpReceiver) -> Span:
    return receiver.wait_for(lambda spans: "task green" in spans)["task green"]


def test_task_and_its_sections(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, _ = serve("tells_progress", env=environment(receiver))
    worker.run("fine", spanId=CARRIER)
    task = task_span(receiver)
    assert (task.trace_id, task.parent_id, task.kind, task.failed) == (TRACE, HKUBE, 2, False)
    assert task.attributes["hkube.job.id"] == "main:p19pa1nk"
    assert task.attributes["hkube.task.outcome"] == "done"
    assert task.resource["service.name"] == "green-alg"
    assert task.events == ["initialized", "start received", "started"]
    spans = receiver.by_name()
    outer, inner, left_open = spans["outer"], spans["inner"], spans["left open"]
    assert (outer.trace_id, outer.parent_id) == (TRACE, task.span_id)
    assert inner.parent_id == left_open.parent_id == outer.span_id
    assert (outer.attributes, inner.attributes) == ({"a": 1}, {"b": 2})
    assert (outer.failed, outer.message) == (True, "went badly")
    assert left_open.attributes == {"c": 3}
    assert task.seconds >= outer.seconds >= inner.seconds >= 0


@pytest.mark.parametrize("fails", [False, True])
def test_calls_of_the_code_api(serve: Serve, receiver: OtlpReceiver, fails: bool) -> None:
    worker, _ = serve("calls", env=environment(receiver))
    worker.begin("start_algorithm", "alg", [1], spanId=CARRIER)
    call = worker.wait_for("startAlgorithmExecution").data
    assert isinstance(call, dict)
    if fails:
        worker.send("algorithmExecutionError", {"execId": call["execId"], "error": "no such"})
    else:
        worker.send("algorithmExecutionDone", {"execId": call["execId"], "response": 1})
    worker.finish()
    task = task_span(receiver)
    span = receiver.by_name()["startAlgorithmExecution alg"]
    assert (span.kind, span.parent_id, span.failed) == (3, task.span_id, fails)
    assert span.attributes["hkube.call.outcome"] == ("error" if fails else "done")
    assert span.message == ("no such" if fails else "")


def test_failed_task(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, _ = serve("raises", env=environment(receiver))
    worker.fail("key", spanId=CARRIER)
    task = task_span(receiver)
    assert task.failed and "the-key" in task.message
    assert task.attributes["error.type"] == "AlgorithmError"
    assert task.attributes["hkube.task.outcome"] == "error"


def test_stopped_task(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, _ = serve("endless", env=environment(receiver))
    worker.begin("loop", spanId=CARRIER)
    worker.send("stop")
    worker.wait_for("stopped")
    task = task_span(receiver)
    assert (task.attributes["hkube.task.outcome"], task.failed) == ("stopped", False)
    assert "stop received" in task.events


def test_crash_still_reports_the_task(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, wrapper = serve("segfault", env=environment(receiver))
    worker.begin(spanId=CARRIER)
    assert wrapper.wait() == 139
    task = task_span(receiver)
    assert task.failed and task.message == "the algorithm process crashed (exit code 139)"
    assert task.attributes["hkube.task.outcome"] == "abandoned"


def test_lost_connection_ends_the_trace_of_the_task(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, _ = serve("endless", env=environment(receiver))
    worker.begin("loop", spanId=CARRIER)
    worker.drop()
    assert task_span(receiver).message == "the connection to HKube's worker was lost"


def test_sigterm_ends_the_trace_of_the_task(serve: Serve, receiver: OtlpReceiver) -> None:
    worker, wrapper = serve("endless", env=environment(receiver))
    worker.begin("loop", spanId=CARRIER)
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait() == 143
    assert task_span(receiver).message == "the container ended"


def test_users_spans_of_the_real_sdk_and_ours_are_in_one_trace(
    serve: Serve, receiver: OtlpReceiver
) -> None:
    worker, _ = serve("exports_spans", env=environment(receiver))
    worker.run(spanId=CARRIER)
    task_span(receiver)
    spans = receiver.wait_for(lambda spans: "users span" in spans)
    assert spans["users span"].trace_id == spans["task green"].trace_id == TRACE
    assert spans["users span"].parent_id == HKUBE


def test_headers_and_resource_are_as_set(serve: Serve, receiver: OtlpReceiver) -> None:
    env = {
        **environment(receiver),
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x,tenant=7",
        "OTEL_RESOURCE_ATTRIBUTES": "service.namespace=ml",
        "OTEL_SERVICE_NAME": "mine",
    }
    worker, _ = serve("echo", env=env)
    worker.run(1)
    assert task_span(receiver).resource == {"service.namespace": "ml", "service.name": "mine"}
    headers = receiver.headers[0]
    assert (headers["authorization"], headers["tenant"]) == ("Bearer x", "7")


def test_task_outside_a_trace_begins_one_and_unsampled_traces_are_not_sent(
    serve: Serve, receiver: OtlpReceiver
) -> None:
    worker, _ = serve("echo", env=environment(receiver))
    worker.run(1, spanId={"uber-trace-id": "abc:11:0:0"}, nodeName="unsampled")
    worker.run(1, spanId={})
    task = task_span(receiver)
    assert task.parent_id == ""
    assert task.trace_id not in (TRACE, "0" * 32)
    assert "task unsampled" not in receiver.by_name()


def test_traces_are_sent_again_when_the_receiver_is_overloaded(
    serve: Serve, receiver: OtlpReceiver
) -> None:
    receiver.statuses = [503, 429]
    worker, wrapper = serve("echo", env=environment(receiver))
    worker.run(1)
    task_span(receiver)
    assert len(receiver.headers) == 3
    assert wrapper.stderr.count("cannot send traces") == 1


def test_traces_that_the_receiver_refuses_are_dropped_with_a_warning(
    serve: Serve, receiver: OtlpReceiver
) -> None:
    receiver.statuses = [400]
    worker, wrapper = serve("echo", env=environment(receiver))
    worker.run(1)
    wrapper.wait_for_log("traces were dropped: ")
    worker.run(1)
    task_span(receiver)
    assert len(receiver.by_name()) == 1


def test_receiver_that_never_answers_delays_no_task_and_the_end_by_a_second(
    serve: Serve, receiver: OtlpReceiver
) -> None:
    receiver.hold.clear()
    worker, wrapper = serve("echo", env=environment(receiver))
    for number in range(20):
        worker.run(number)
    receiver.wait_for_requests(1)
    worker.run("while a request waits")
    begin = time.monotonic()
    worker.send("exit", {"exitCode": 0})
    assert wrapper.wait() == 0
    assert time.monotonic() - begin < 8  # a request's own limit is 10 s
    assert "the last traces were not sent" in wrapper.stderr


def test_unreachable_receiver_is_one_warning(serve: Serve) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    worker, wrapper = serve("echo", env=env)
    for number in range(3):
        assert worker.run(number) == [number]
    wrapper.wait_for_log("cannot send traces to http://127.0.0.1:9/v1/traces: ")


def test_nothing_is_imported_unless_it_is_set(serve: Serve) -> None:
    worker, wrapper = serve("echo", arguments=("-X", "importtime", "-m", "wrapper"))
    worker.run(1)
    imported = wrapper.stderr
    assert "wrapper.supervisor.supervisor" in imported
    for name in ("supervisor.telemetry", "opentelemetry", "prometheus_client", "http.client"):
        assert name not in imported
