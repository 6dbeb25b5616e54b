"""Counts for operators, in the text format that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...protocol.messages import commands
from .seen_message import SeenMessage

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_SECONDS = (0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800, 7200, 43200)
_STOP_SECONDS = (0.1, 0.5, 1, 2, 4, 5, 7, 8, 10, 15)
_KNOWN_CODES = 50  # each is a series of its own, and user code can write messages itself


class Figures:
    """The figures of one container.

    Args:
        registry: holds them.
        clock: monotonic, seconds.
    """

    def __init__(
        self, registry: CollectorRegistry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self._clock = clock
        self._began: float | None = None
        self._stop_came: float | None = None
        self._codes: set[str] = set()
        self._connections = -1  # the first one is no reconnection

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"hkube_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"hkube_{name}", text, labels, registry=registry)

        self._tasks = counter("tasks", "Tasks that ended, by outcome.", "outcome")
        self._errors = counter("task_errors", "Tasks that failed, by error code.", "code")
        self._running = gauge("task_running", "1 while a task is in work.")
        self._durations = Histogram(
            "hkube_task_seconds",
            "Seconds from `initialize` to the final message.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._stops = Histogram(
            "hkube_stop_seconds",
            "Seconds from `stop` to `stopped`; HKube waits 10.",
            buckets=_STOP_SECONDS,
            registry=registry,
        )
        self._steps = counter("stop_steps", "Steps that stops took.", "step")
        self._kills = counter("algorithm_kills", "Algorithm processes killed.", "stuck")
        self._crashes = counter("algorithm_crashes", "Algorithm processes that crashed.")
        self._connected = gauge("worker_connected", "1 while the worker is connected.")
        self._reconnections = counter("worker_reconnections", "Connections after the first one.")
        self._bytes = counter("message_bytes", "Bytes of messages, by direction.", "direction")
        self._messages = counter("messages", "Messages, by direction.", "direction")
        self._streamed = {
            field: gauge(f"stream_{name}", text, "node")
            for field, name, text in (
                ("queueSize", "queue_messages", "Messages that wait for the next node."),
                ("sent", "sent_messages", "Messages sent in this task."),
                ("responses", "handled_messages", "Messages that the next node has handled."),
                ("dropped", "dropped_messages", "Messages dropped in this task."),
            )
        }

    def from_worker(self, message: SeenMessage) -> None:
        """Note a message of the worker."""
        self._count("received", message)
        if message.command == commands.INITIALIZE:
            self.abandon()
            self._began = self._clock()
            self._running.set(1)
        elif message.command == commands.STOP:
            self._stop_came = self._clock()
            self._steps.labels("requested").inc()

    def to_worker(self, message: SeenMessage) -> None:
        """Note a message to the worker."""
        self._count("sent", message)
        command = message.command
        if command == commands.DONE:
            self._end("done")
        elif command == commands.ERROR_MESSAGE:
            self._end("error")
            self._errors.labels(self._code(message.error)).inc()
        elif command == commands.STOPPED:
            if self._stop_came is not None:
                self._stops.observe(self._clock() - self._stop_came)
                self._stop_came = None
            self._end("stopped")
        elif command == commands.STREAMING_STATISTICS:
            self._note_streams(message.data)

    def connected(self) -> None:
        """Note that the worker is connected."""
        self._connected.set(1)
        self._connections += 1
        if self._connections:
            self._reconnections.inc()

    def disconnected(self) -> None:
        """Note that the connection is lost."""
        self._connected.set(0)

    def interrupted(self) -> None:
        """Note that user code is interrupted because of a stop."""
        self._steps.labels("interrupted").inc()

    def killed(self, stuck: bool) -> None:
        """Note that the algorithm process is killed."""
        self._kills.labels(str(stuck).lower()).inc()
        if self._stop_came is not None:
            self._steps.labels("killed").inc()

    def crashed(self) -> None:
        """Note that the algorithm process has crashed."""
        self._crashes.inc()

    def abandon(self) -> None:
        """Note that the task in work will send no final message, if there is one."""
        self._end("abandoned")

    def _count(self, direction: str, message: SeenMessage) -> None:
        self._messages.labels(direction).inc()
        self._bytes.labels(direction).inc(len(message.payload))

    def _end(self, outcome: str) -> None:
        if self._began is not None:
            self._tasks.labels(outcome).inc()
            self._durations.observe(self._clock() - self._began)
            self._began = None
            self._running.set(0)

    def _code(self, error: Any) -> str:
        code = str(error.get("code", "unknown")) if isinstance(error, Mapping) else "unknown"
        if code not in self._codes and len(self._codes) >= _KNOWN_CODES:
            return "other"
        self._codes.add(code)
        return code

    def _note_streams(self, data: Any) -> None:
        for edge in data if isinstance(data, list) else []:
            if isinstance(edge, Mapping):
                for field, gauge in self._streamed.items():
                    value = edge.get(field)
                    if isinstance(value, int):
                        gauge.labels(str(edge.get("nodeName", ""))).set(value)
