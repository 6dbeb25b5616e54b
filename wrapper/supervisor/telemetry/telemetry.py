"""Passes what the supervisor sees on to traces and figures, if they are asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...protocol.messages.peek import HEAD_BYTES, peek_command
from .seen_message import SeenMessage

if TYPE_CHECKING:
    from ...config.settings import Config
    from ...log import Log
    from .exporter import SpanExporter
    from .figures import Figures
    from .task_trace import TaskTrace

_END_PATIENCE = 1.0  # seconds that the container's end may wait for the last traces


class Telemetry:
    """Observes the traffic; whatever goes wrong in it changes nothing for the task.

    Args:
        config: the settings.
        log: the wrapper's log.
    """

    def __init__(self, config: Config, log: Log) -> None:
        self._encoding = config.encoding
        self._log = log
        self._exporter: SpanExporter | None = None
        self._trace: TaskTrace | None = None
        self._figures: Figures | None = None
        self._close_by = 0.0
        if config.telemetry.traces_url:
            self._guarded(lambda: self._begin_traces(config))
        if config.telemetry.metrics_port:
            self._guarded(lambda: self._serve_figures(config))

    def from_worker(self, payload: bytes | bytearray) -> None:
        """Note a message of the worker."""
        message = self._seen(payload)
        if message is not None:
            if self._trace is not None:
                self._guarded(self._trace.from_worker, message)
            if self._figures is not None:
                self._guarded(self._figures.from_worker, message)

    def to_worker(self, payload: bytes | bytearray) -> None:
        """Note a message to the worker."""
        message = self._seen(payload)
        if message is not None:
            if self._trace is not None:
                self._guarded(self._trace.to_worker, message)
            if self._figures is not None:
                self._guarded(self._figures.to_worker, message)

    def connected(self) -> None:
        """Note that the worker is connected."""
        if self._figures is not None:
            self._figures.connected()

    def disconnected(self, worker_waits: bool) -> None:
        """Note that the connection is lost.

        Args:
            worker_waits: the task goes on.
        """
        if not worker_waits:
            self._abandon("the connection to HKube's worker was lost")
        if self._figures is not None:
            self._figures.disconnected()

    def interrupted(self) -> None:
        """Note that user code is interrupted because of a stop."""
        if self._figures is not None:
            self._figures.interrupted()

    def killed(self, stuck: bool) -> None:
        """Note that the algorithm process is killed."""
        if self._figures is not None:
            self._figures.killed(stuck)

    def crashed(self, code: int) -> None:
        """Note that the algorithm process has crashed; the container ends with this code."""
        self._abandon(f"the algorithm process crashed (exit code {code})")
        if self._figures is not None:
            self._figures.crashed()

    def begin_to_close(self) -> None:
        """Send what is left; the container ends."""
        self._abandon("the container ended")
        self._close_by = time.monotonic() + _END_PATIENCE
        if self._exporter is not None:
            self._exporter.begin_to_close()

    def close(self) -> None:
        """Wait for the last traces, until a second after `begin_to_close` at most."""
        if self._exporter is not None:
            self._exporter.close(max(0.0, self._close_by - time.monotonic()))

    def _abandon(self, reason: str) -> None:
        if self._trace is not None:
            self._guarded(self._trace.abandon, reason)
        if self._figures is not None:
            self._figures.abandon()

    def _seen(self, payload: bytes | bytearray) -> SeenMessage | None:
        command = peek_command(self._encoding, bytes(payload[:HEAD_BYTES]))
        return None if command is None else SeenMessage(command, payload, self._encoding)

    def _guarded(self, function: Callable[..., None], *arguments: object) -> None:
        try:
            function(*arguments)
        # Messages hold what user code put there, and libraries may be broken: the task goes on.
        except Exception as error:
            self._log.warning(f"traces or figures are incomplete: {type(error).__name__}: {error}")

    def _begin_traces(self, config: Config) -> None:
        from .exporter import SpanExporter
        from .task_trace import TaskTrace

        settings = config.telemetry
        exporter = SpanExporter(settings.traces_url, settings.headers, settings.resource, self._log)
        self._exporter = exporter
        self._trace = TaskTrace(config.encoding, exporter.send, time.time_ns, _random_id)

    def _serve_figures(self, config: Config) -> None:
        try:
            from prometheus_client import CollectorRegistry, start_http_server
        except ImportError:
            self._log.warning(
                "HKUBE_METRICS_PORT has no effect: pip install 'hkube-wrapper[metrics]'"
            )
            return
        from .figures import Figures

        host, port = config.telemetry.metrics_host, config.telemetry.metrics_port
        registry = CollectorRegistry()
        figures = Figures(registry)
        try:
            start_http_server(port, host, registry)
        except OSError as error:
            self._log.warning(f"cannot serve figures at {host}:{port}: {error.strerror or error}")
            return
        self._figures = figures


def _random_id(digits: int) -> str:
    return os.urandom(digits // 2).hex()
