"""The loop that connects the worker, the task's state machine and the algorithm side.

One thread, one poller, sockets that never block: whatever the user's code or the worker does,
`alive` is sent, signals are handled and the steps of a stop keep their times.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..ipc.frames import Frame, FrameKind, OptionalFunctions
from ..protocol.messages.bare import control_message
from ..protocol.messages.commands import ALIVE, STOPPED, STOPPING
from ..protocol.messages.outline import is_message
from ..protocol.messages.task_ids import IDS_WITHIN, read_ids
from ..protocol.task import events
from ..protocol.task.machine import TaskMachine
from ..text.exit_codes import exit_code_of_status
from ..text.load_messages import LOADED
from .child.crash_report import CrashReporter
from .child.process import AlgorithmSide
from .child.runner import AlgorithmRunner
from .loop.counted_log import CountedLog
from .loop.poller import Pollable, Poller
from .loop.wakeup import Wakeup
from .streams.stream_tasks import StreamTasks
from .worker.connector import ConnectionTarget
from .worker.link import LinkSettings
from .worker.routing import AlreadyConnected, Odd, ParentsChanged, is_answer, route
from .worker.unsent import MessageKind
from .worker.worker import MAX_WAITING_BYTES, Worker

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log
    from .child.output_relay import OutputRelay
    from .peers.peers import Peers
    from .telemetry.telemetry import Telemetry

EXIT_UNAVAILABLE = 69  # the debug gateway serves someone else
EXIT_OS_ERROR = 71  # no file descriptor, process or memory is left
EXIT_WORKER_GONE = 75

_KINDS = {
    ALIVE: MessageKind.SIGN,
    STOPPING: MessageKind.SIGN,
    STOPPED: MessageKind.STOPPED,
}
# Each message needs them, and looking up an enum's member is slow.
_USER_MESSAGE, _ANSWER = FrameKind.USER_MESSAGE, FrameKind.ANSWER
_FINAL_MESSAGE, _INITIALIZE_COMPLETED = FrameKind.FINAL_MESSAGE, FrameKind.INITIALIZE_COMPLETED
_HELD_RESULT = FrameKind.HELD_RESULT
_TASK_MESSAGE, _STEP, _FINAL = MessageKind.TASK, MessageKind.STEP, MessageKind.FINAL
_ENDINGS = frozenset((events.ExitReceived, events.SigtermReceived))
_FOR_THE_WORKER = frozenset((_USER_MESSAGE, _FINAL_MESSAGE))
_STREAM_FRAMES = frozenset(
    (FrameKind.STREAM_SEND, FrameKind.STREAM_HANDLED, FrameKind.STREAM_COMMAND)
)
# A little more than the two largest answers. Beyond it the worker has to wait; `alive` goes on.
_MAX_ANSWERS_BYTES = 256 * 1024 * 1024
# How long the worker's goodbye may take, seconds.
_EXIT_PATIENCE = 1.0
_CRASH_PATIENCE = 0.5


class Supervisor:
    """Serves a worker until the worker or a signal ends it.

    Args:
        config: the settings.
        log: the wrapper's log.
        spawn: starts an algorithm side to replace one that was killed.
        relay: sends the algorithm's output to the worker; None: it is not sent.
        hint: logged once if the worker does not answer.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        spawn: Callable[[], AlgorithmSide],
        relay: OutputRelay | None = None,
        hint: str = "",
    ) -> None:
        self.wakeup = Wakeup()
        self._config = config
        self._worker_waits = config.dev_mode or config.debug
        self._log = log
        self._counted = CountedLog(log)
        self._relay = relay
        self._telemetry = _make_telemetry(config, log)
        self._poller = Poller()
        self._machine = machine = TaskMachine(keep_task=config.dev_mode)
        is_tls = config.url.startswith("wss:")
        target = ConnectionTarget(config.url, config.host, config.port, is_tls, config.socketio)
        self._worker = Worker(
            target,
            self._link_settings(target),
            config.encoding,
            self._poller,
            self.wakeup,
            log,
            self._counted,
            on_messages=self._from_worker,
            on_lost=self._lost_worker,
            is_task_under_way=lambda: machine.has_task,
            on_connected=self._found_worker,
            hint=hint,
        )
        self._algorithm = AlgorithmRunner(
            spawn,
            self._poller,
            log,
            CrashReporter(log, config.termination_log),
            on_frames=self._from_algorithm,
            on_death=self._algorithm_died,
            on_handover=self._hold_for_peers,
        )
        self._streams = StreamTasks(
            config, self._poller, self.wakeup.post, log, self._send_now, self._deliver_stream
        )
        self._peers: Peers | None = None
        parts = (self._machine, self._worker, self._algorithm, self._streams, self._counted)
        # Bound once: the loop asks them before each wait.
        self._deadlines = tuple(part.deadline for part in parts)
        self._performers: dict[type[events.Action], Callable[[Any], None]] = {
            events.Forward: self._forward,
            events.Deliver: self._deliver,
            events.Send: self._send_command,
            events.DropKeptMessages: self._drop_kept_messages,
            events.KillAlgorithm: self._replace,
            events.Note: self._note,
            events.ExitContainer: self._exit_container,
        }
        self._paused = False
        self._exit: events.ExitContainer | None = None

    # -------------------------------------------------------------------------- the loop --
    def run(self, algorithm: AlgorithmSide) -> int:
        """Serve the worker; return the exit code.

        Args:
            algorithm: the algorithm side, which is running already.
        """
        self._worker.connect()
        self._poller.watch(self.wakeup, self._woken)
        self._algorithm.adopt(algorithm)
        if algorithm.channel.handover is not None:
            self.wakeup.post(self._serve_peers)
        if self._relay is not None:
            self._relay.start(self.send)
        if not algorithm.ends_with_its_pipe:
            # It may have died before anyone listened to SIGCHLD.
            self.wakeup.post(self._algorithm.reap)
        while self._exit is None:
            due = self._next_due()
            self._poller.wait(None if due is None else max(0.0, due - time.monotonic()))
            if self._exit is None and due is not None and time.monotonic() >= due:
                self._tick()
            if self._streams.is_active:
                self._go_on_ending()
            self._worker.send_waiting()
            if self._paused:
                self._pause_or_resume()
            if self._worker.is_paused:
                self._worker.pause(self._has_too_many_answers())
        self._end(self._exit)
        return self._exit.code

    def close(self) -> None:
        """Release what `run` used; call this from the thread that called `listen_to_signals`."""
        self._algorithm.close()
        self.wakeup.close()

    def listen_to_signals(self) -> None:
        """Handle SIGTERM, SIGINT and SIGCHLD; call this from the main thread of our own process."""
        self.wakeup.listen_to_signals((signal.SIGTERM, signal.SIGINT, signal.SIGCHLD))

    def terminate(self) -> None:
        """Begin to end, as after SIGTERM; safe from any thread."""
        self.wakeup.post(lambda: self._handle(events.SigtermReceived()))

    def reload(self) -> None:
        """Load the algorithm's changed code; safe from any thread."""
        self.wakeup.post(self._reload)

    def send(self, payload: bytes) -> None:
        """Send a message that belongs to no task (logData); safe from any thread."""
        self.wakeup.post(lambda: self._send(payload, MessageKind.FREE))

    def watch(self, source: Pollable, on_readable: Callable[[], None]) -> None:
        """Let the loop read another source too; call this before `run`."""
        self._poller.watch(source, on_readable)

    def _next_due(self) -> float | None:
        earliest = None
        for deadline in self._deadlines:
            at = deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def _tick(self) -> None:
        now = time.monotonic()
        self._perform(self._machine.tick(now))
        gone = self._worker.tick(now)
        if gone is not None:
            self._log.error(f"{gone}: exiting with code {EXIT_WORKER_GONE}")
            self._handle(events.ExitReceived(EXIT_WORKER_GONE, b""))
        self._algorithm.tick(now)
        self._streams.tick(now)
        if self._peers is not None:
            self._peers.tick(now)
        self._counted.tick(now)

    def _woken(self) -> None:
        numbers = self.wakeup.read()
        if signal.SIGCHLD in numbers:
            self._algorithm.reap()
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._handle(events.SigtermReceived())

    def _reload(self) -> None:
        self._log.info("the algorithm's code has changed: reloading it")
        self._handle(events.CodeChanged())

    def _end(self, action: events.ExitContainer) -> None:
        self._counted.finish()
        if self._telemetry is not None:
            self._telemetry.begin_to_close()
        if self._peers is not None:
            self._peers.close()
        self._algorithm.kill_rest()
        if self._relay is not None:
            self._relay.finish()
        self.wakeup.read()  # the last lines of output are posted there
        self._worker.close(_CRASH_PATIENCE if action.crashed else _EXIT_PATIENCE)
        if self._telemetry is not None:
            self._telemetry.close()

    # ------------------------------------------------------------------------ the worker --
    def _from_worker(self, payloads: list[bytes | bytearray]) -> None:
        take = self._take_message if self._telemetry is None else self._take_observed
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
        self._take_message(payload)

    def _take_message(self, payload: bytes | bytearray) -> None:
        machine, channel = self._machine, self._algorithm.channel
        if channel is not None and machine.is_running and is_answer(payload):
            channel.control.send(_ANSWER, machine.generation, payload)
            if self._has_too_many_answers():
                self._worker.pause(True)
            return
        routed = route(payload, self._config.encoding)
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
            if isinstance(routed, events.InitializeReceived):
                self._bind_task(payload)
            elif isinstance(routed, events.StopReceived):
                self._log.info(f"stop: the worker asks to stop (state: {machine.state.value})")
                if self._streams.holds_stop(routed, machine.is_running):
                    return
            elif isinstance(routed, events.ExitReceived):
                self._log.info(f"exit: the worker asks to end with code {routed.code}")
            self._handle(routed)
            if isinstance(routed, events.InitializeReceived):
                self._begin_streams(payload)
            elif isinstance(routed, events.StartReceived):
                self._streams.allow_reports()

    def _has_too_many_answers(self) -> bool:
        """Whether user code, which may hold the GIL, has left too many answers unread."""
        channel = self._algorithm.channel
        return channel is not None and channel.control.outbox.waiting_bytes > _MAX_ANSWERS_BYTES

    def _begin_streams(self, initialize: bytes | bytearray) -> None:
        """Begin the streaming part of a task, if it has one; mode v1 has no streams."""
        if self._config.storage_protocol == "v1":
            return
        if self._streams.is_active or b"stream" in initialize:
            self._streams.begin(initialize, self._machine.generation)

    def _go_on_ending(self) -> None:
        """Go on with what waited for messages to be handled."""
        now = time.monotonic()
        stop = self._streams.due_stop(now)
        if stop is not None:
            self._handle(stop)
        due = self._streams.due_end(now)
        if due:
            self._perform_now(due)

    def _bind_task(self, initialize: bytes | bytearray) -> None:
        head, encoding = bytes(initialize[:IDS_WITHIN]), self._config.encoding
        self._log.bind_task_later(lambda: read_ids(encoding, head))

    def _send_now(self, payload: bytes) -> None:
        is_sign = payload in (
            control_message(ALIVE, self._config.encoding),
            control_message(STOPPING, self._config.encoding),
        )
        self._send(payload, MessageKind.SIGN if is_sign else MessageKind.FREE)

    def _deliver_stream(
        self, kind: FrameKind, generation: int, pieces: Sequence[bytes | bytearray | memoryview]
    ) -> None:
        channel = self._algorithm.channel
        if channel is not None:
            self._streams.burst.gather(channel.control.outbox)
            channel.control.send_pieces(kind, generation, pieces)

    def _send(self, payload: bytes | bytearray, kind: MessageKind) -> None:
        if self._telemetry is not None:
            self._telemetry.to_worker(payload)
        self._worker.send(payload, kind)
        if self._worker.waiting_bytes > MAX_WAITING_BYTES:
            self._pause_or_resume()

    def _found_worker(self) -> None:
        if self._telemetry is not None:
            self._telemetry.connected()

    def _lost_worker(self) -> None:
        if self._telemetry is not None:
            self._telemetry.disconnected(self._worker_waits)
        self._streams.lose_worker(self._worker_waits)
        self._handle(events.ConnectionLost(self._worker_waits))

    # ----------------------------------------------------------------- the algorithm side --
    def _pause_or_resume(self) -> None:
        """Let the algorithm side wait while too much of its task waits to be sent to the worker.

        Not while the task is being stopped: the end of the stop must be read.
        """
        paused = self._machine.has_task and self._worker.waiting_bytes > MAX_WAITING_BYTES
        if paused is not self._paused:
            self._paused = paused
            self._algorithm.pause(paused)

    def _from_algorithm(self, frames: list[Frame]) -> None:
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
                self._take_frames(frames)
        else:
            self._take_frames(frames)

    def _take_frames(self, frames: list[Frame]) -> None:
        machine, encoding = self._machine, self._config.encoding
        for kind, generation, payload in frames:
            if kind in _FOR_THE_WORKER and not is_message(payload, encoding):
                self._algorithm.refuse(
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
                if self._peers is not None:
                    self._peers.take_note(payload)
            elif kind == FrameKind.STOP_COMPLETED:
                self._handle(events.StopCompleted(generation))
            elif kind == FrameKind.MODULE_LOADED:
                has_stop = bool(payload[0] & OptionalFunctions.STOP)
                has_initialize = bool(payload[0] & OptionalFunctions.INITIALIZE)
                self._log.info(f"{LOADED} {self._algorithm.age():.2f} s to load")
                self._handle(events.ModuleLoaded(has_stop, has_initialize))

    def _algorithm_died(self, status: int) -> None:
        self._handle(events.AlgorithmDied(exit_code_of_status(status)))
        if self._exit is not None and self._exit.crashed:
            if self._telemetry is not None:
                self._telemetry.crashed(self._exit.code)
            self._algorithm.report_crash(status)

    # ------------------------------------------------------------------------- the peers --
    def _serve_peers(self) -> Peers:
        """Begin to serve results to other algorithms, unless that has begun."""
        # Late, while the connection is being opened: mode v1 does not load it.
        from .peers.peers import Peers

        if self._peers is None:
            self._peers = Peers(
                self._config,
                self._log,
                self._poller,
                lambda payload: self._send(payload, MessageKind.FREE),
            )
            self._deadlines += (self._peers.deadline,)
        return self._peers

    def _hold_for_peers(self, handover: socket.socket) -> bool:
        return self._serve_peers().take(handover)

    # ----------------------------------------------------------------- the state machine --
    def _handle(self, event: events.Event) -> None:
        if type(event) in _ENDINGS:
            self._worker.end()
            if isinstance(event, events.SigtermReceived):
                self._streams.terminate()
        self._perform(self._machine.handle(event, time.monotonic()))

    def _perform(self, actions: list[events.Action]) -> None:
        if self._streams.is_active:
            actions = self._streams.held_back(actions)
        self._perform_now(actions)

    def _perform_now(self, actions: list[events.Action]) -> None:
        for action in actions:
            self._performers[type(action)](action)

    def _forward(self, action: events.Forward) -> None:
        self._send(action.message, _FINAL if action.final else _TASK_MESSAGE)

    def _deliver(self, action: events.Deliver) -> None:
        if self._telemetry is not None and action.kind == FrameKind.INTERRUPT:
            self._telemetry.interrupted()
        channel = self._algorithm.channel
        if channel is not None:
            channel.send(*action)

    def _send_command(self, action: events.Send) -> None:
        message = control_message(action.command, self._config.encoding)
        self._send(message, _KINDS.get(action.command, _STEP))

    def _drop_kept_messages(self, action: events.DropKeptMessages) -> None:
        self._worker.forget_old_messages()

    def _note(self, action: events.Note) -> None:
        if action.level == "debug":
            self._counted.add(action.level, action.text)
        else:
            self._log.log(action.level, action.text)

    def _exit_container(self, action: events.ExitContainer) -> None:
        if self._exit is None:
            self._exit = action

    def _replace(self, action: events.KillAlgorithm) -> None:
        if self._telemetry is not None:
            self._telemetry.killed(action.stuck)
        try:
            self._algorithm.kill(action.reason, action.stuck, action.respawn)
        except OSError as error:  # no file descriptor, process or memory is left
            # The actions that follow come first: the worker waits for `stopped`.
            self._log.error(
                f"cannot start an algorithm process: {error}: exiting with code {EXIT_OS_ERROR}"
            )
            self._worker.end()
            self._exit = events.ExitContainer(EXIT_OS_ERROR)
        if action.respawn:
            self._paused = False

    def _link_settings(self, target: ConnectionTarget) -> LinkSettings:
        config = self._config
        return LinkSettings(
            give_up_after=None if self._worker_waits else config.reconnect_timeout,
            pings=config.debug or config.socketio,
            max_payload=config.max_payload,
            worker_waits=self._worker_waits,
            silent_for=0.0 if config.debug else config.first_initialized_delay,
            is_local=target.is_loopback,
        )


def _make_telemetry(config: Config, log: Log) -> Telemetry | None:
    if not config.telemetry.is_on:
        return None
    from .telemetry.telemetry import Telemetry

    return Telemetry(config, log)
