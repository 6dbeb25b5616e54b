"""Supervisor and algorithm side in the test's process, wired as in `wrapper.in_process.serve`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...algorithm.host.host import Host
from ...algorithm.host.outgoing import HostSettings
from ...algorithm.host.pipes import Pipes
from ...config.settings import Config
from ...in_process.supervisor_thread import LocalAlgorithm, SupervisorThread
from ...ipc.frames import Frame
from ...log import Log
from ...protocol.encoding.encoding import get_encoding
from ...supervisor.child.process import Channel
from .forced_interruption import Insistence
from .user_errors import WatchedUserCode

_PAUSE = 0  # the kind of a frame that `ipc` does not have: the main thread is the test's again
_JOIN_PATIENCE = 5.0  # seconds


@dataclass(frozen=True)
class Rig:
    """What an algorithm under test runs in.

    Attributes:
        host: the algorithm side; its `serve` returns after `pause`.
        user: calls the user's functions.
        interruption: the main thread's.
    """

    host: Host
    user: WatchedUserCode
    interruption: Insistence
    _beside: SupervisorThread
    _algorithm: LocalAlgorithm

    def pause(self) -> None:
        """Have `host.serve` return once it has done what it was told before; from any thread."""
        channel = self._algorithm.channel
        self._beside.supervisor.wakeup.post(lambda: channel.tasks.send(_PAUSE, 0, b""))

    def terminate(self) -> None:
        """Begin to end, as SIGTERM does; the second time: end at once."""
        self._beside.supervisor.terminate()

    def close(self) -> None:
        """End the supervisor; the main thread's signal stays taken."""
        self.host.close()
        self._beside.join(_JOIN_PATIENCE)


class _PausingPipes(Pipes):
    """Pipes whose frames end at a pause, and go on when they are asked for again."""

    _frames: Iterator[Frame] | None = None

    def tasks(self) -> Iterator[Frame]:
        """The frames for the main thread, until a pause or the end."""
        if self._frames is None:
            self._frames = super().tasks()
        for frame in self._frames:
            if frame.kind == _PAUSE:
                return
            yield frame


def make_rig(config: Config, killed: Callable[[], None]) -> Rig:
    """Wire a rig, and begin to connect to the worker; from the main thread.

    Args:
        killed: called where HKube's wrapper kills an algorithm's process.
    """
    log = Log(config.log_level, config.log_format)
    tasks, their_tasks = socket.socketpair()
    control, their_control = socket.socketpair()
    algorithm = _Unkillable(Channel(tasks, control), log, killed)
    interruption = Insistence()
    user = WatchedUserCode(interruption)
    settings = HostSettings(
        get_encoding(config.encoding), config.max_payload, config.metrics_folder
    )
    pipes = _PausingPipes(their_tasks, their_control, interruption)
    host = Host(pipes, interruption, settings, log, interruption.request, user)
    beside = SupervisorThread(config, log, algorithm)
    beside.start()
    return Rig(host, user, interruption, beside, algorithm)


class _Unkillable(LocalAlgorithm):
    """The algorithm side, for a supervisor that is told nothing else of its end."""

    def __init__(self, channel: Channel, log: Log, killed: Callable[[], None]) -> None:
        super().__init__(channel, log)
        self._killed = killed

    def kill(self) -> None:
        """Not possible here."""
        self._killed()

    def stacks(self, ask: bool) -> str:
        """Not told: they would be those of pytest's threads, too."""
        return ""
