"""The loop that ties the worker, the task's state machine and the algorithm process together.

One thread, one poller, sockets that never block: whatever the user's code or the worker does,
`alive` goes out, signals are answered and the stop ladder keeps its times.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..ipc.frames import Frame, FrameKind, OptionalFunctions
from ..protocol.messages.bare import control_message
from ..protocol.messages.commands import ALIVE, STOPPING
from ..protocol.messages.task_ids import IDS_WITHIN, read_ids
from ..protocol.task import events
from ..protocol.task.machine import TaskMachine
from .child import descendants
from .child.crash import CrashReporter
from .child.process import AlgorithmSide, Channel, exit_code_of
from .loop.poller import Pollable, Poller
from .loop.wakeup import Wakeup
from .worker.connector import ConnectionTarget
from .worker.link import LinkSettings
from .worker.routing import AlreadyConnected, Odd, is_answer, route
from .worker.worker import Worker

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log

EXIT_UNAVAILABLE = 69  # the debug gateway serves somebody else
EXIT_WORKER_GONE = 75

# Past this many bytes on their way to the worker, the algorithm process has to wait.
_MOST_WAITING_BYTES = 64 * 1024 * 1024
# Looking up an enum's member is slow: do it once.
_USER_MESSAGE, _ANSWER = FrameKind.USER_MESSAGE, FrameKind.ANSWER
_EXIT_PATIENCE = 1.0
_CRASH_PATIENCE = 0.5
_END_OF_STREAM_PATIENCE = 0.5


class Supervisor:
    """Serves a worker until it, or a signal, says that it is over.

    Args:
        config: the settings.
        log: the wrapper's log.
        spawn: starts another algorithm side in place of one that was killed.
    """

    def __init__(self, config: Config, log: Log, spawn: Callable[[], AlgorithmSide]) -> None:
        self.wakeup = Wakeup()
        self._config = config
        self._log = log
        self._spawn = spawn
        self._poller = Poller()
        self._machine = TaskMachine(keep_task=config.dev_mode)
        self._worker = _make_worker(config, self._poller, self.wakeup, log)
        self._worker.on_messages = self._from_worker
        self._worker.task_under_way = lambda: self._machine.has_task
        self._crashes = CrashReporter(log, config.termination_log)
        self._algorithm: AlgorithmSide | None = None
        self._spawned_at = 0.0
        self._closed_at: float | None = None  # the pipe's end came, SIGCHLD not yet
        self._paused = False
        self._exit: events.ExitContainer | None = None
        self.before_goodbye: Callable[[], None] = lambda: None
        # Takes a result that is to be held for peers; False: nothing comes from there any more.
        self.take_over: Callable[[socket.socket], bool] = lambda sock: False

    # --------------------------------------------------------------------------- the loop --
    def run(self, algorithm: AlgorithmSide) -> int:
        """Serve; returns the exit code.

        Args:
            algorithm: the algorithm side, started already.
        """
        self._algorithm = algorithm
        self._spawned_at = time.monotonic()
        self._worker.connect()
        self._poller.watch(self.wakeup, self._woken)
        self._watch(algorithm.channel)
        if not algorithm.ends_with_its_pipe:
            self.wakeup.post(self._reap)  # it may have died before SIGCHLD was listened to
        while self._exit is None:
            due = self._next_due()
            self._poller.wait(None if due is None else max(0.0, due - time.monotonic()))
            if self._exit is None and due is not None and time.monotonic() >= due:
                self._tick()
            if self._worker.link.unsent is not None:
                self._worker.link.release()
            if self._paused and self._worker.waiting_bytes < _MOST_WAITING_BYTES:
                self._pause(False)
        self._end()
        return self._exit.code

    def listen_to_signals(self) -> None:
        """Take SIGTERM, SIGINT and SIGCHLD; from the main thread, where they are ours."""
        self.wakeup.listen_to_signals((signal.SIGTERM, signal.SIGINT, signal.SIGCHLD))

    def terminate(self) -> None:
        """Begin to end, as SIGTERM does; safe from any thread."""
        self.wakeup.post(lambda: self._handle(events.SigtermReceived()))

    def reload(self) -> None:
        """Load the algorithm's changed code; safe from any thread."""
        self.wakeup.post(self._reload)

    def send(self, payload: bytes) -> None:
        """Send what is no part of a task (logData); safe from any thread."""
        self.wakeup.post(lambda: self._send(payload, keep=False))

    def watch(self, source: Pollable, on_readable: Callable[[], None]) -> None:
        """Let the loop deal with another source as well; before `run`."""
        self._poller.watch(source, on_readable)

    def _next_due(self) -> float | None:
        earliest = self._machine.deadline()
        for at in (self._worker.link.deadline(), self._closed_at):
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def _tick(self) -> None:
        now = time.monotonic()
        due = self._machine.deadline()
        if due is not None and now >= due:
            self._perform(self._machine.tick(now))
        due = self._worker.link.deadline()
        if due is not None and now >= due:
            gone = self._worker.tick(now)
            if gone is not None:
                self._log.error(f"{gone}: ending with code {EXIT_WORKER_GONE}")
                self._handle(events.ExitReceived(EXIT_WORKER_GONE, b""))
        if self._closed_at is not None and now >= self._closed_at:
            self._closed_at = None
            self._pipe_closed()

    def _woken(self) -> None:
        numbers = self.wakeup.read()
        if signal.SIGCHLD in numbers:
            self._reap()
        for number in numbers:
            if number in (signal.SIGTERM, signal.SIGINT):
                self._handle(events.SigtermReceived())

    # ------------------------------------------------------------------------- the worker --
    def _from_worker(self, payloads: list[bytes | bytearray]) -> None:
        if len(payloads) > 1 and self._algorithm is not None:
            with self._algorithm.channel.control.outbox.corked():
                for payload in payloads:
                    self._take_message(payload)
        elif payloads:
            self._take_message(payloads[0])

    def _take_message(self, payload: bytes | bytearray) -> None:
        machine, algorithm = self._machine, self._algorithm
        if algorithm is not None and machine.is_running and is_answer(payload):
            algorithm.channel.control.send(_ANSWER, machine.generation, payload)
            return
        routed = route(payload, self._config.encoding)
        if isinstance(routed, Odd):
            self._log.log(routed.level, routed.text)
        elif isinstance(routed, AlreadyConnected):
            who = routed.hostname or "another machine"
            self._log.error(
                f"the debug connection is taken: {who} is connected to it; "
                f"ending with code {EXIT_UNAVAILABLE}"
            )
            self._handle(events.ExitReceived(EXIT_UNAVAILABLE, b""))
        else:
            if isinstance(routed, events.InitializeReceived):
                self._bind_task(payload)
            elif isinstance(routed, events.StopReceived):
                self._log.info(f"stop: the worker asks to stop (state: {self._state})")
            elif isinstance(routed, events.ExitReceived):
                self._log.info(f"exit: the worker asks to end with code {routed.code}")
            self._handle(routed)

    def _bind_task(self, initialize: bytes | bytearray) -> None:
        head, encoding = bytes(initialize[:IDS_WITHIN]), self._config.encoding
        self._log.bind_task_later(lambda: read_ids(encoding, head))

    def _send(self, payload: bytes | bytearray, keep: bool, final: bool = False) -> None:
        if not self._worker.link.send(payload, keep, final):
            self._log.warning(
                f"dropped a message of {len(payload):,} bytes: it is too large, or too much "
                "waits already for a worker that is out of reach"
            )
        elif not self._paused and self._worker.waiting_bytes > _MOST_WAITING_BYTES:
            self._pause(True)

    @property
    def _state(self) -> str:
        return self._machine.state.value

    # --------------------------------------------------------------- the algorithm process --
    def _watch(self, channel: Channel) -> None:
        self._poller.watch(channel.tasks, self._readable, channel.tasks.outbox)
        self._poller.watch(channel.control, None, channel.control.outbox)
        handover = channel.handover
        if handover is not None:
            self._poller.watch(handover, lambda: self._handed_over(handover))
        self._paused = False

    def _handed_over(self, handover: socket.socket) -> None:
        if not self.take_over(handover):
            self._poller.forget(handover)

    def _pause(self, paused: bool) -> None:
        """Let the algorithm process wait while too much is on its way to the worker."""
        self._paused = paused
        if self._algorithm is not None:
            self._poller.pause(self._algorithm.channel.tasks, paused)

    def _readable(self) -> None:
        assert self._algorithm is not None
        channel = self._algorithm.channel
        frames = channel.read()
        if frames is None:
            self._forget(channel)
            # SIGCHLD tells how it died, in a moment; if not, it lives on without its pipe.
            patience = 0.0 if self._algorithm.ends_with_its_pipe else _END_OF_STREAM_PATIENCE
            self._closed_at = time.monotonic() + patience
            return
        outbox = self._worker.outbox
        if len(frames) > 1 and outbox is not None:
            with outbox.corked():
                self._take(frames)
        else:
            self._take(frames)

    def _take(self, frames: list[Frame]) -> None:
        machine = self._machine
        for kind, generation, payload in frames:
            if kind == _USER_MESSAGE and machine.is_running and generation == machine.generation:
                self._send(payload, keep=True)
            elif kind == _USER_MESSAGE:
                self._handle(events.UserMessage(generation, payload))
            elif kind == FrameKind.FINAL_MESSAGE:
                self._handle(events.FinalMessage(generation, payload))
            elif kind == FrameKind.INITIALIZE_COMPLETED:
                self._handle(events.InitializeCompleted(generation))
            elif kind == FrameKind.STOP_COMPLETED:
                self._handle(events.StopCompleted(generation))
            elif kind == FrameKind.MODULE_LOADED:
                has_stop = bool(payload[0] & OptionalFunctions.STOP)
                has_initialize = bool(payload[0] & OptionalFunctions.INITIALIZE)
                self._log.info(f"the algorithm's module took {self._age():.2f} s to load")
                self._handle(events.ModuleLoaded(has_stop, has_initialize))

    def _age(self) -> float:
        """Seconds since the algorithm process was started."""
        return time.monotonic() - self._spawned_at

    def _reap(self) -> None:
        for pid, status in descendants.reap():
            algorithm = self._algorithm
            if algorithm is not None and algorithm.died_with(pid, status):
                # Its last words are still in the pipe, and they count.
                self._take(algorithm.channel.read() or [])
                self._died(status)

    def _died(self, status: int) -> None:
        self._closed_at = None
        self._handle(events.AlgorithmDied(exit_code_of(status)))
        if self._exit is not None and self._exit.crashed and self._algorithm is not None:
            self._crashes.crashed(status, self._algorithm.stacks(ask=False))

    def _pipe_closed(self) -> None:
        """It closed its end of the pipe but lives: nothing can be said to it any more."""
        assert self._algorithm is not None
        if self._algorithm.ends_with_its_pipe:
            self._died(0)
            return
        self._log.error(
            "the algorithm process has closed the wrapper's pipe (os.closerange, or a daemon's "
            "closing of all files): keep the file descriptors that were open at the start"
        )
        self._algorithm.kill()

    def _forget(self, channel: Channel) -> None:
        self._poller.forget(channel.tasks)
        self._poller.forget(channel.control)
        if channel.handover is not None:
            self._poller.forget(channel.handover)

    def _kill(self, action: events.KillAlgorithm) -> None:
        algorithm = self._algorithm
        if algorithm is None:
            return
        self._log.warning(f"killing the algorithm process: {action.reason}")
        if action.stuck:
            self._crashes.stuck(algorithm.stacks(ask=True))
        self._forget(algorithm.channel)
        algorithm.kill()
        self._algorithm = None
        if action.respawn:
            algorithm.close()
            self._algorithm = self._spawn()
            self._spawned_at = time.monotonic()
            self._closed_at = None
            self._watch(self._algorithm.channel)

    def _reload(self) -> None:
        self._log.info("the algorithm's folder has changed: loading it anew")
        self._handle(events.CodeChanged())

    # ---------------------------------------------------------------------- the state machine --
    def _handle(self, event: events.Event) -> None:
        if isinstance(event, (events.ExitReceived, events.SigtermReceived)):
            self._worker.link.end()
        self._perform(self._machine.handle(event, time.monotonic()))

    def _perform(self, actions: list[events.Action]) -> None:
        for action in actions:
            if isinstance(action, events.Forward):
                self._send(action.message, keep=True, final=action.final)
            elif isinstance(action, events.Deliver):
                if self._algorithm is not None:
                    self._algorithm.channel.send(*action)
            elif isinstance(action, events.Send):
                message = control_message(action.command, self._config.encoding)
                self._send(message, keep=action.command not in (ALIVE, STOPPING))
            elif isinstance(action, events.DropKeptMessages):
                self._worker.link.forget()
            elif isinstance(action, events.KillAlgorithm):
                self._kill(action)
            elif isinstance(action, events.Note):
                self._log.log(action.level, action.text)
            elif self._exit is None:
                self._exit = action

    def _end(self) -> None:
        assert self._exit is not None
        if self._algorithm is not None:
            self._algorithm.kill()  # what its children still hold of its output ends with them
        self.before_goodbye()
        self.wakeup.read()  # the last lines that are to be sent
        self._worker.close(_CRASH_PATIENCE if self._exit.crashed else _EXIT_PATIENCE)


def _make_worker(config: Config, poller: Poller, wakeup: Wakeup, log: Log) -> Worker:
    forever = config.dev_mode or config.debug
    settings = LinkSettings(
        give_up_after=None if forever else config.reconnect_timeout,
        pings=config.debug,
        max_payload=config.max_payload,
    )
    target = ConnectionTarget(
        config.url, config.host, config.port, tls=config.url.startswith("wss:")
    )
    return Worker(target, settings, config.encoding != "json", poller, wakeup, log)
