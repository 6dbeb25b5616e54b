"""Lets the user's own OpenTelemetry spans hang below HKube's span of the task."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType

    from ...protocol.messages.trace_context import TraceContext

_VARIABLE = "TRACEPARENT"
_MODULE = "opentelemetry.trace"


class TraceScope:
    """The task's place in its trace, while user code runs on this thread.

    OpenTelemetry is never imported here. If user code has imported it, or does so on this thread
    while the scope is open, the context is attached. Child processes find it in TRACEPARENT.

    Args:
        context: HKube's span of the task; None: HKube has sent none, and nothing changes.
    """

    def __init__(self, context: TraceContext | None) -> None:
        self._context = context
        self._earlier_variable: str | None = None
        self._earlier_context: Any = None
        self._is_attached = False
        self._watcher: _ImportWatcher | None = None

    def __enter__(self) -> None:
        if self._context is not None:
            # Tracing is not worth a task: user code may have broken what it needs, such as builtins
            # of the standard library, or sys.meta_path.
            with suppress(Exception):
                self._open(self._context)

    def _open(self, context: TraceContext) -> None:
        self._earlier_variable = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = context.traceparent
        if _MODULE in sys.modules:
            self.attach()
        else:
            self._watcher = _ImportWatcher(self)
            sys.meta_path.insert(0, self._watcher)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._context is not None:
            with suppress(Exception):
                self._close()

    def _close(self) -> None:
        if self._watcher is not None and self._watcher in sys.meta_path:
            sys.meta_path.remove(self._watcher)
        if self._earlier_variable is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = self._earlier_variable
        if self._is_attached:
            self._is_attached = False
            # Not `detach`: user code may have attached contexts above, and left them there.
            sys.modules["opentelemetry.context"].attach(self._earlier_context)

    def attach(self) -> None:
        """Make HKube's span the current one; OpenTelemetry is imported."""
        try:
            self._make_current(sys.modules[_MODULE], sys.modules["opentelemetry.context"])
        except Exception:  # a version with another API, or a broken one: user code still runs
            pass

    def _make_current(self, trace: Any, contexts: Any) -> None:
        context = self._context
        assert context is not None
        span_context = trace.SpanContext(
            trace_id=int(context.trace_id, 16),
            span_id=int(context.span_id, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(int(context.is_sampled)),
        )
        self._earlier_context = contexts.get_current()
        span = trace.NonRecordingSpan(span_context)
        contexts.attach(trace.set_span_in_context(span, self._earlier_context))
        self._is_attached = True


class _ImportWatcher:
    """Stands first on `sys.meta_path` until OpenTelemetry is imported."""

    def __init__(self, scope: TraceScope) -> None:
        self._scope = scope

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        try:
            sys.meta_path.remove(self)
        except ValueError:  # another thread imports it too, or the task has ended
            return None
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            _call_after(spec.loader, self._scope.attach)
        return spec


def _call_after(loader: Any, then: Callable[[], None]) -> None:
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        del loader.exec_module  # not again if user code reloads the module
        execute(module)
        then()

    loader.exec_module = exec_module
