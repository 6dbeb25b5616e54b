"""What each message of the worker is for: a running call, the task, its streams, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..ipc.frames import FrameKind
from ..protocol.messages.task_ids import IDS_WITHIN, read_ids
from ..protocol.task import events
from .worker.routing import AlreadyConnected, Odd, ParentsChanged, is_answer, route

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log
    from ..protocol.task.machine import TaskMachine
    from .back_pressure import BackPressure
    from .child.runner import AlgorithmRunner
    from .loop.counted_log import CountedLog
    from .streams.stream_tasks import StreamTasks
    from .telemetry.telemetry import Telemetry

EXIT_UNAVAILABLE = 69  # the debug gateway serves someone else

_ANSWER = FrameKind.ANSWER  # each answer needs it, and looking up an enum's member is slow


class WorkerInbox:
    """Takes the messages of the worker.

    Args:
        config: the settings.
        log: the wrapper's log.
        counted: for what a worker may send too often to log each time.
        machine: of the task.
        algorithm: gets the answers of its calls straight from here.
        streams: of the task.
        pressure: lets the worker wait.
        telemetry: sees each message; None: nobody asked for it.
        handle: takes what happened to the task.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        counted: CountedLog,
        machine: TaskMachine,
        algorithm: AlgorithmRunner,
        streams: StreamTasks,
        pressure: BackPressure,
        telemetry: Telemetry | None,
        handle: Callable[[events.Event], None],
    ) -> None:
        self._encoding = config.encoding
        self._has_streams = config.storage_protocol != "v1"  # mode v1 has no streams
        self._log = log
        self._counted = counted
        self._machine = machine
        self._algorithm = algorithm
        self._streams = streams
        self._pressure = pressure
        self._telemetry = telemetry
        self._handle = handle

    def take(self, payloads: list[bytes | bytearray]) -> None:
        """Take messages that have come together, in their order."""
        take = self._take if self._telemetry is None else self._take_observed
        channel = self._algorithm.channel
        if len(payloads) > 1 and channel is not None:
            with channel.control.outbox.corked():
                for payload in payloads:
                    take(payload)
        else:
            for payload in payloads:
                take(payload)

    def _take_observed(self, payload: bytes | bytearray) -> None:
        if self._telemetry is not None:
            self._telemetry.from_worker(payload)
        self._take(payload)

    def _take(self, payload: bytes | bytearray) -> None:
        machine, channel = self._machine, self._algorithm.channel
        if channel is not None and machine.is_running and is_answer(payload):
            channel.control.send(_ANSWER, machine.generation, payload)
            self._pressure.after_answer()
            return
        routed = route(payload, self._encoding)
        if isinstance(routed, Odd):
            self._counted.add(routed.level, routed.text)
        elif isinstance(routed, ParentsChanged):
            self._streams.discover(payload)
        elif isinstance(routed, AlreadyConnected):
            self._log.error(
                f"the debug connection is in use by {routed.hostname or 'another machine'}: "
                f"exiting with code {EXIT_UNAVAILABLE}"
            )
            self._handle(events.ExitReceived(EXIT_UNAVAILABLE, b""))
        else:
            self._take_event(routed, payload)

    def _take_event(self, event: events.Event, payload: bytes | bytearray) -> None:
        if isinstance(event, events.InitializeReceived):
            self._bind_task(payload)
        elif isinstance(event, events.StopReceived):
            self._log.info(f"stop: the worker asks to stop (state: {self._machine.state.value})")
            if self._streams.holds_stop(event, self._machine.is_running):
                return
        elif isinstance(event, events.ExitReceived):
            self._log.info(f"exit: the worker asks to end with code {event.code}")
        self._handle(event)
        if isinstance(event, events.InitializeReceived):
            self._begin_streams(payload)
        elif isinstance(event, events.StartReceived):
            self._streams.allow_reports()

    def _bind_task(self, initialize: bytes | bytearray) -> None:
        head, encoding = bytes(initialize[:IDS_WITHIN]), self._encoding
        self._log.bind_task_later(lambda: read_ids(encoding, head))

    def _begin_streams(self, initialize: bytes | bytearray) -> None:
        if self._has_streams and (self._streams.is_active or b"stream" in initialize):
            self._streams.begin(initialize, self._machine.generation)
