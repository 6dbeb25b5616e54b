"""The loop that connects the worker, the task's state machine and the algorithm side.

One thread, one poller, sockets that never block: whatever the user's code or the worker does,
`alive` is sent, signals are handled and the steps of a stop keep their times.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..ipc.frames import FrameKind
from ..protocol.messages.bare import control_message
from ..protocol.messages.commands import ALIVE, STOPPED, STOPPING
from ..protocol.task import events
from ..protocol.task.machine import TaskMachine
from ..text.exit_codes import exit_code_of_status
from .algorithm_inbox import AlgorithmInbox
from .back_pressure import BackPressure
from .child.crash_report import CrashReporter
from .child.process import AlgorithmSide
from .child.runner import AlgorithmRunner
from .loop.counted_log import CountedLog
from .loop.poller import Pollable, Poller
from .loop.wakeup import Wakeup
from .peers.late_peers import LatePeers
from .streams.stream_tasks import StreamTasks
from .worker.connector import ConnectionTarget
from .worker.link import LinkSettings
from .worker.unsent import MessageKind
from .worker.worker import Worker
from .worker_inbox import WorkerInbox

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log
    from .child.output_relay import OutputRelay
    from .telemetry.telemetry import Telemetry

EXIT_OS_ERROR = 71  # no file descriptor, process or memory is left
EXIT_WORKER_GONE = 75

_KINDS = {
    ALIVE: MessageKind.SIGN,
    STOPPING: MessageKind.SIGN,
    STOPPED: MessageKind.STOPPED,
}
# Each message needs them, and looking up an enum's member is slow.
_TASK_MESSAGE, _STEP, _FINAL = MessageKind.TASK, MessageKind.STEP, MessageKind.FINAL
_ENDINGS = frozenset((events.ExitReceived, events.SigtermReceived))
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
        self._streams = StreamTasks(
            config, self._poller, self.wakeup.post, log, self._send_now, self._deliver_stream
        )
        self._peers = LatePeers(config, log, self._poller, self._send_free)
        target = ConnectionTarget.of(config)
        self._worker = Worker(
            target,
            LinkSettings.of(config, target.is_loopback),
            config.encoding,
            self._poller,
            self.wakeup,
            log,
            self._counted,
            on_messages=self._take_messages,
            on_lost=self._lost_worker,
            is_task_under_way=lambda: machine.has_task,
            on_connected=self._found_worker,
            hint=hint,
        )
        frames = AlgorithmInbox(
            config,
            log,
            machine,
            self._worker,
            self._streams,
            self._peers,
            runner=lambda: self._algorithm,
            send=self._send,
            handle=self._handle,
        )
        self._algorithm = AlgorithmRunner(
            spawn,
            self._poller,
            log,
            CrashReporter(log, config.termination_log),
            on_frames=frames.take,
            on_death=self._algorithm_died,
            on_handover=self._peers.take,
        )
        self._pressure = BackPressure(machine, self._worker, self._algorithm)
        self._inbox = WorkerInbox(
            config,
            log,
            self._counted,
            machine,
            self._algorithm,
            self._streams,
            self._pressure,
            self._telemetry,
            handle=self._handle,
        )
        parts = (machine, self._worker, self._algorithm, self._streams, self._peers, self._counted)
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
            self.wakeup.post(self._peers.begin)
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
            self._pressure.after_turn()
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
        self.wakeup.post(lambda: self._send_free(payload))

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
        self._peers.tick(now)
        self._counted.tick(now)

    def _woken(self) -> None:
        numbers = self.wakeup.read()
        if signal.SIGCHLD in numbers:
            self._algorithm.reap()
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._handle(events.SigtermReceived())

    def _go_on_ending(self) -> None:
        """Go on with what waited for messages to be handled."""
        now = time.monotonic()
        stop = self._streams.due_stop(now)
        if stop is not None:
            self._handle(stop)
        due = self._streams.due_end(now)
        if due:
            self._perform_now(due)

    def _reload(self) -> None:
        self._log.info("the algorithm's code has changed: reloading it")
        self._handle(events.CodeChanged())

    def _end(self, action: events.ExitContainer) -> None:
        self._counted.finish()
        if self._telemetry is not None:
            self._telemetry.begin_to_close()
        self._peers.close()
        self._algorithm.kill_rest()
        if self._relay is not None:
            self._relay.finish()
        self.wakeup.read()  # the last lines of output are posted there
        self._worker.close(_CRASH_PATIENCE if action.crashed else _EXIT_PATIENCE)
        if self._telemetry is not None:
            self._telemetry.close()

    # ------------------------------------------------------------------------- the worker --
    def _take_messages(self, payloads: list[bytes | bytearray]) -> None:
        self._inbox.take(payloads)

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
        self._pressure.after_sending()

    def _send_free(self, payload: bytes) -> None:
        self._send(payload, MessageKind.FREE)

    def _found_worker(self) -> None:
        if self._telemetry is not None:
            self._telemetry.connected()

    def _lost_worker(self) -> None:
        if self._telemetry is not None:
            self._telemetry.disconnected(self._worker_waits)
        self._streams.lose_worker(self._worker_waits)
        self._handle(events.ConnectionLost(self._worker_waits))

    # ------------------------------------------------------------------ the algorithm side --
    def _algorithm_died(self, status: int) -> None:
        self._handle(events.AlgorithmDied(exit_code_of_status(status)))
        if self._exit is not None and self._exit.crashed:
            if self._telemetry is not None:
                self._telemetry.crashed(self._exit.code)
            self._algorithm.report_crash(status)

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
            self._pressure.algorithm_replaced()


def _make_telemetry(config: Config, log: Log) -> Telemetry | None:
    if not config.telemetry.is_on:
        return None
    from .telemetry.telemetry import Telemetry

    return Telemetry(config, log)
