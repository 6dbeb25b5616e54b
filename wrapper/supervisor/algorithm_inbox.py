"""What each frame of the algorithm side is for: the worker, the task, its streams or the peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..ipc.frames import Frame, FrameKind, OptionalFunctions
from ..protocol.messages.outline import is_message
from ..protocol.task import events
from ..text.load_messages import LOADED
from .worker.unsent import MessageKind

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log
    from ..protocol.task.machine import TaskMachine
    from .child.runner import AlgorithmRunner
    from .peers.late_peers import LatePeers
    from .streams.stream_tasks import StreamTasks
    from .worker.worker import Worker

# Each message needs them, and looking up an enum's member is slow.
_USER_MESSAGE, _FINAL_MESSAGE = FrameKind.USER_MESSAGE, FrameKind.FINAL_MESSAGE
_INITIALIZE_COMPLETED, _HELD_RESULT = FrameKind.INITIALIZE_COMPLETED, FrameKind.HELD_RESULT
_TASK_MESSAGE = MessageKind.TASK
_FOR_THE_WORKER = frozenset((_USER_MESSAGE, _FINAL_MESSAGE))
_STREAM_FRAMES = frozenset(
    (FrameKind.STREAM_SEND, FrameKind.STREAM_HANDLED, FrameKind.STREAM_COMMAND)
)


class AlgorithmInbox:
    """Takes the frames of the algorithm side.

    Args:
        config: the settings.
        log: the wrapper's log.
        machine: of the task.
        worker: gets the messages of user code straight from here.
        streams: of the task.
        peers: get the results that the algorithm process hands over.
        runner: returns what runs the algorithm side, which begins later than this.
        send: sends a message to the worker.
        handle: takes what happened to the task.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        machine: TaskMachine,
        worker: Worker,
        streams: StreamTasks,
        peers: LatePeers,
        runner: Callable[[], AlgorithmRunner],
        send: Callable[[bytes | bytearray, MessageKind], None],
        handle: Callable[[events.Event], None],
    ) -> None:
        self._encoding = config.encoding
        self._log = log
        self._machine = machine
        self._worker = worker
        self._streams = streams
        self._peers = peers
        self._runner = runner
        self._send = send
        self._handle = handle

    def take(self, frames: list[Frame]) -> None:
        """Take frames that have come together, in their order."""
        if not self._streams.is_active:
            self._take_together(frames)
            return
        with self._streams.burst:
            self._take_together(frames)
            self._streams.ask()

    def _take_together(self, frames: list[Frame]) -> None:
        outbox = self._worker.outbox
        if len(frames) > 1 and outbox is not None:
            with outbox.corked():
                self._take_each(frames)
        else:
            self._take_each(frames)

    def _take_each(self, frames: list[Frame]) -> None:
        machine, encoding = self._machine, self._encoding
        for kind, generation, payload in frames:
            if kind in _FOR_THE_WORKER and not is_message(payload, encoding):
                self._runner().refuse(
                    f"sent {len(payload):,} bytes that are no {encoding} message: user code has "
                    "changed what the wrapper builds on (builtins, a standard module)"
                )
                return
            if kind == _USER_MESSAGE and machine.is_running and generation == machine.generation:
                self._send(payload, _TASK_MESSAGE)
            elif kind == _USER_MESSAGE:
                self._handle(events.UserMessage(generation, payload))
            elif kind in _STREAM_FRAMES:
                self._streams.take(kind, generation, payload)
            elif kind == _FINAL_MESSAGE:
                self._worker.read_first()
                self._handle(events.FinalMessage(generation, payload))
            elif kind == _INITIALIZE_COMPLETED:
                self._handle(events.InitializeCompleted(generation))
            elif kind == _HELD_RESULT:
                self._peers.take_note(payload)
            elif kind == FrameKind.STOP_COMPLETED:
                self._handle(events.StopCompleted(generation))
            elif kind == FrameKind.MODULE_LOADED:
                self._take_loaded(payload[0])

    def _take_loaded(self, found: int) -> None:
        has_stop = bool(found & OptionalFunctions.STOP)
        has_initialize = bool(found & OptionalFunctions.INITIALIZE)
        self._log.info(f"{LOADED} {self._runner().age():.2f} s to load")
        self._handle(events.ModuleLoaded(has_stop, has_initialize))
