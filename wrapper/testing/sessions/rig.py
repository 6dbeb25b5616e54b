"""Supervisor and algorithm host in the test's process, wired as in `wrapper.in_process.serve`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...algorithm.host.host import Host
from ...algorithm.host.interruption import Interruption
from ...algorithm.host.pipes import Pipes
from ...algorithm.serve import host_settings
from ...config.settings import Config
from ...in_process.supervisor_thread import LocalAlgorithm, SupervisorThread
from ...ipc.frames import Frame, FrameKind
from ...log import Log
from ...supervisor.child.process import Channel
from .user_errors import WatchedUserCode

_JOIN_PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Rig:
    """Everything that an algorithm under test runs in.

    Attributes:
        host: Runs the tasks; its `serve` returns after `pause`.
        user: Calls the user's functions.
    """

    host: Host
    user: WatchedUserCode
    _supervisor: SupervisorThread
    _algorithm: LocalAlgorithm

    def pause(self) -> None:
        """Let `host.serve` return after the work already sent to it; safe from any thread."""
        channel = self._algorithm.channel
        self._supervisor.supervisor.wakeup.post(lambda: channel.send(FrameKind.PAUSE, 0, b""))

    def terminate(self) -> None:
        """Shut down as on SIGTERM; a second call ends at once."""
        self._supervisor.supervisor.terminate()

    def close(self) -> None:
        """End the supervisor; the signal handler of the main thread stays installed."""
        self.host.close()
        self._supervisor.join(_JOIN_PATIENCE)


class _PausingPipes(Pipes):
    """Pipes whose frames stop at a pause and continue with the next call."""

    _frames: Iterator[Frame] | None = None

    def tasks(self) -> Iterator[Frame]:
        """Yield the frames for the main thread, until a pause or the end."""
        if self._frames is None:
            self._frames = super().tasks()
        for frame in self._frames:
            if frame.kind == FrameKind.PAUSE:
                return
            yield frame


def make_rig(config: Config, interruption: Interruption, killed: Callable[[], None]) -> Rig:
    """Wire a rig and start to connect to the worker; call it from the main thread.

    Args:
        config: The wrapper's settings.
        interruption: Interrupts the thread that runs the algorithm.
        killed: Called where the wrapper would kill the algorithm's process.
    """
    log = Log(config.log_level, config.log_format)
    tasks, their_tasks = socket.socketpair()
    control, their_control = socket.socketpair()
    algorithm = _Unkillable(Channel(tasks, control), log, killed)
    user = WatchedUserCode(interruption)
    settings = host_settings(config, log)
    pipes = _PausingPipes(their_tasks, their_control, interruption)
    host = Host(
        pipes, user, settings, log, interruption.request, lambda error: log.error(str(error))
    )
    beside = SupervisorThread(config, log, algorithm)
    beside.start()
    return Rig(host, user, beside, algorithm)


class _Unkillable(LocalAlgorithm):
    """An algorithm side that the supervisor cannot kill."""

    def __init__(self, channel: Channel, log: Log, killed: Callable[[], None]) -> None:
        super().__init__(channel, log)
        self._killed = killed

    def kill(self) -> None:
        """Report the attempt: the test's process must survive."""
        self._killed()

    def stacks(self, ask: bool) -> str:
        """Return nothing: the stacks would include pytest's threads."""
        return ""
