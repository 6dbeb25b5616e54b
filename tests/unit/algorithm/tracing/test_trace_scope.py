"""HKube's span around user code, in this process, with the real OpenTelemetry."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import context as contexts
from opentelemetry import trace

from wrapper.algorithm.tracing.trace_scope import TraceScope
from wrapper.protocol.messages.trace_context import TraceContext

CONTEXT = TraceContext("0" * 31 + "a", "0" * 15 + "b", True)


def current() -> tuple[int, int]:
    span_context = trace.get_current_span().get_span_context()
    return span_context.trace_id, span_context.span_id


@pytest.fixture(autouse=True)
def unchanged_process() -> Iterator[None]:
    before = (list(sys.meta_path), os.environ.get("TRACEPARENT"), current())
    yield
    assert (list(sys.meta_path), os.environ.get("TRACEPARENT"), current()) == before


def test_span_is_current_inside_and_what_was_current_is_restored() -> None:
    with TraceScope(CONTEXT):
        assert current() == (10, 11)
        assert os.environ["TRACEPARENT"] == CONTEXT.traceparent
        # User code leaves a context of its own behind.
        contexts.attach(contexts.set_value("left", "behind"))
    assert contexts.get_value("left") is None


def test_without_a_context_nothing_changes() -> None:
    with TraceScope(None):
        assert current() == (0, 0)
        assert "TRACEPARENT" not in os.environ


def test_users_own_variable_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "users own")
    with TraceScope(CONTEXT):
        assert os.environ["TRACEPARENT"] == CONTEXT.traceparent
    assert os.environ["TRACEPARENT"] == "users own"
    monkeypatch.undo()


@pytest.mark.parametrize("imports", [True, False])
def test_nothing_stays_in_the_import_system(monkeypatch: pytest.MonkeyPatch, imports: bool) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    with TraceScope(CONTEXT):
        if imports:
            module = importlib.import_module("opentelemetry.trace")
            assert module.get_current_span().get_span_context().span_id == 11


def test_broken_opentelemetry_does_not_keep_user_code_from_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(trace, "SpanContext")
    with TraceScope(CONTEXT):
        assert current() == (0, 0)
