"""How streaming takes part in a task's life: it begins with the task, and drains before its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...errors import DecodingError
from ...ipc.frames import FrameKind
from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages import commands
from ...protocol.messages.bare import control_message
from ...protocol.task import events
from ...protocol.task.timers import STOPPING_EVERY
from ..child.crash_report import read_memory_state
from ..loop.burst import Burst
from ..loop.poller import Poller

if TYPE_CHECKING:
    from ...config.settings import Config
    from ...log import Log
    from ...streaming.drain import Drain
    from ...streaming.queue import Piece
    from .streams import Streams

    Send = Callable[[bytes], None]
    DeliverFrame = Callable[[FrameKind, int, Sequence[Piece]], None]

# What a crash or a failure leaves in the queue is handed over for so long, seconds.
_FAILURE_WITHIN = 5.0
# SIGTERM: Kubernetes ends the container 30 s later, and the user's `exit` has had some of them.
_TERMINATE_WITHIN = 10.0


class StreamTasks:
    """The streaming part of the tasks that a supervisor serves.

    Args:
        config: the settings.
        poller: of the supervisor.
        post: has a function called in the supervisor's loop; safe from any thread.
        log: the wrapper's log.
        send: sends an encoded message to the worker, now or never.
        deliver: sends a frame to the algorithm process.

    Attributes:
        burst: gathers what several frames or messages cause to be sent.
        is_active: whether a streaming task is under way.
    """

    def __init__(
        self,
        config: Config,
        poller: Poller,
        post: Callable[[Callable[[], None]], None],
        log: Log,
        send: Send,
        deliver: DeliverFrame,
    ) -> None:
        self._config = config
        self._poller = poller
        self._post = post
        self._log = log
        self._send = send
        self._deliver = deliver
        self.burst = Burst()
        self._streams: Streams | None = None
        self.is_active = False
        self._generation = 0
        self._quiescing: _Quiescing | None = None
        self._drain: Drain[events.Action] | None = None
        self._is_graceful = False  # the stop under way lets messages be handed over
        self._is_terminated = False

    # -------------------------------------------------------------------- a task begins --
    def begin(self, initialize: Piece, generation: int) -> None:
        """A task begins.

        Args:
            initialize: the worker's message.
            generation: of the task, in frames.
        """
        # Here, because their import takes long at the start, and batch pipelines do not need them.
        from ...streaming.job import read_stream_job

        self.end()
        data = _data_of(initialize, self._config.encoding)
        job = read_stream_job(data) if isinstance(data, dict) else None
        if job is None:
            return
        from ..loop.heap import keep_freed_memory
        from .streams import Streams, StreamSettings

        keep_freed_memory()

        streaming = self._config.streaming
        settings = StreamSettings(
            port=self._config.discovery.streaming_port,
            limit=_buffer_limit(streaming.buffer_bytes),
            interval=streaming.statistics_interval,
            encoding=self._config.discovery.encoding,
            waits_when_full=streaming.when_full == "wait",
        )
        self._generation = generation
        self._streams = Streams(
            job,
            settings,
            self._poller,
            self._post,
            self._log,
            self._report,
            lambda kind, pieces: self._deliver(kind, self._generation, pieces),
            self.burst,
        )
        self.is_active = True
        self._streams.start()

    def allow_reports(self) -> None:
        """The worker has started the task: it can take statistics from now on."""
        if self._streams is not None:
            self._streams.may_report = True

    def end(self) -> None:
        """The task is over: close all connections."""
        if self._streams is not None:
            self._streams.close()
            self._streams = None
            self.is_active = False
        self._quiescing = self._drain = None

    def discover(self, message: Piece) -> None:
        """Parents' pods came or went."""
        if self._streams is not None:
            self._streams.discover(_data_of(message, self._config.encoding))

    def take(self, kind: int, generation: int, payload: Piece) -> None:
        """A streaming frame of the algorithm process."""
        if self._streams is None or generation != self._generation:
            return  # of a task that is over
        try:
            self._streams.take(kind, payload)
        except ValueError as error:
            self._log.warning(f"streaming: ignored a frame of the algorithm process: {error}")

    def ask(self) -> None:
        """Ask the parents for more; call it once after some frames were taken."""
        if self._streams is not None:
            self._streams.ask()

    def lose_worker(self, it_waits: bool) -> None:
        """The connection to the worker is lost.

        Args:
            it_waits: it comes back and knows of the task; otherwise another worker comes, which
                must not receive the end of this task.
        """
        if it_waits:
            return
        held = [] if self._drain is None else self._drain.held
        if not any(isinstance(each, events.ExitContainer) for each in held):
            self.end()
            return
        assert self._drain is not None
        self._drain.held = [each for each in held if isinstance(each, events.ExitContainer)]

    # --------------------------------------------------------------------- a task's end --
    def holds_stop(self, event: events.StopReceived, is_running: bool) -> bool:
        """Whether a stop has to wait, until what was fetched has been handled.

        A forced stop, or a second one, ends a drain at once.
        """
        if self._streams is None:
            return False
        now = time.monotonic()
        data = _data_of(event.frame, self._config.encoding)
        is_forced = not (isinstance(data, dict) and data.get("forceStop") is False)
        if self._drain is not None and is_forced:
            self._drain.cancel()
            return self._drain.answers_stop
        if self._drain is not None or self._quiescing is not None:
            if is_forced:
                self._quiescing = None
            return not is_forced
        if is_forced or not is_running:
            self._is_graceful = False
            return False
        self._is_graceful = True
        self._streams.quiesce(now)
        self._quiescing = _Quiescing(event, now)
        return True

    def held_back(self, actions: list[events.Action]) -> list[events.Action]:
        """Hold back what ends the task until the queue is drained.

        Returns:
            What to do now.
        """
        if self._streams is None:
            return actions
        if self._drain is not None:
            self._drain.held += [each for each in actions if _ends(each)]
            return [each for each in actions if not _ends(each)]
        first = next((number for number, each in enumerate(actions) if _ends(each)), None)
        if first is None:
            return actions
        ending = actions[first]
        now = time.monotonic()
        within = self._within(ending)
        if within <= 0 or self._streams.is_drained:
            self._finish_streams(ending)
            return actions
        from ...streaming.drain import Drain

        is_stop = isinstance(ending, events.Send)
        self._drain = Drain(actions[first:], is_stop, within, now)
        return actions[:first]

    def terminate(self) -> None:
        """SIGTERM has come: a drain has to be short."""
        self._is_terminated = True

    def _within(self, ending: events.Action) -> float:
        """Seconds for the drain before this end."""
        if isinstance(ending, events.ExitContainer):
            if ending.crashed:
                return _FAILURE_WITHIN
            return _TERMINATE_WITHIN if self._is_terminated else 0.0
        if isinstance(ending, events.Send):
            return self._config.streaming.drain_timeout if self._is_graceful else 0.0
        assert isinstance(ending, events.Forward)
        is_error = b"errorMessage" in bytes(ending.message[:64])
        return _FAILURE_WITHIN if is_error else self._config.streaming.drain_timeout

    def _finish_streams(self, ending: events.Action) -> None:
        assert self._streams is not None
        self._streams.report_statistics()  # the totals that last
        rest = self._streams.describe_rest()
        if rest and not (isinstance(ending, events.Send) and not self._is_graceful):
            self._log.warning(f"streaming: ended with messages that nobody has handled: {rest}")
        self.end()

    # ------------------------------------------------------------------------ the clock --
    def deadline(self) -> float | None:
        """When `tick` is due; None: never."""
        if self._streams is None:
            return None
        now = time.monotonic()
        earliest = self._streams.deadline(now)
        if self._quiescing is not None:
            earliest = min(earliest, self._quiescing.next_sign)
        if self._drain is not None:
            earliest = min(earliest, self._drain.deadline(self._streams.last_asked))
        return earliest

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._streams is None:
            return
        self._streams.tick(now)
        if self._quiescing is not None and now >= self._quiescing.next_sign:
            self._quiescing.next_sign = now + STOPPING_EVERY
            self._sign(commands.STOPPING)
        if self._drain is not None:
            signs = self._drain.signs(now)
            if signs.stopping:
                self._sign(commands.STOPPING)
            if signs.alive:
                self._sign(commands.ALIVE)

    def due_stop(self, now: float) -> events.StopReceived | None:
        """A stop that was held and may go on."""
        quiescing = self._quiescing
        if quiescing is None or self._streams is None:
            return None
        if not self._streams.is_quiet(quiescing.began, now):
            return None
        self._quiescing = None
        return quiescing.event._replace(is_drain=True)

    def due_end(self, now: float) -> list[events.Action]:
        """What was held back and is due."""
        drain = self._drain
        if drain is None or self._streams is None:
            return []
        if not drain.is_over(self._streams.is_drained, self._streams.last_asked, now):
            return []
        held = drain.held
        self._drain = None
        self._finish_streams(held[0])
        return held

    def _sign(self, command: str) -> None:
        self._send(control_message(command, self._config.encoding))

    def _report(self, message: Mapping[str, Any]) -> None:
        self._send(get_encoding(self._config.encoding).encode(message, "statistics"))


def _buffer_limit(configured: int) -> int:
    """Bytes for the queue: the other half of the container's memory is for the algorithm."""
    memory = read_memory_state().limit
    return configured if memory is None else min(configured, memory // 2)


class _Quiescing:
    """A graceful stop that waits until what was fetched has been handled."""

    def __init__(self, event: events.StopReceived, began: float) -> None:
        self.event = event
        self.began = began
        self.next_sign = began


def _ends(action: events.Action) -> bool:
    """Whether the worker takes the task for ended by this."""
    if isinstance(action, events.Send):
        return action.command == commands.STOPPED
    if isinstance(action, events.Forward):
        return action.final
    return isinstance(action, events.ExitContainer)


def _data_of(message: Piece, encoding: str) -> object:
    if not message:
        return None
    try:
        decoded = get_encoding(encoding).decode(message)
    except DecodingError:
        return None
    return decoded.get("data") if isinstance(decoded, dict) else None
