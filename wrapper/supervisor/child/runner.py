"""The algorithm side in the supervisor's loop: reads it, notices its end, kills and replaces it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...ipc.frames import Frame, PipeError
from ..loop.poller import Poller
from . import descendants
from .crash_report import CrashReporter
from .process import AlgorithmSide, Channel

if TYPE_CHECKING:
    from ...log import Log

# How long a closed pipe waits for the SIGCHLD that says how the process died, seconds.
_END_OF_STREAM_PATIENCE = 0.5


class AlgorithmRunner:
    """Keeps one algorithm side at a time, and passes on what it sends.

    Args:
        spawn: starts an algorithm side to replace one that was killed.
        poller: the loop's poller.
        log: the wrapper's log.
        crashes: reports crashes.
        on_frames: called with the frames that arrived.
        on_death: called with the wait status when the algorithm side has ended by itself.
        on_handover: called when a result waits in this socket to be held for peers; returns False
            at the end of the stream.
    """

    def __init__(
        self,
        spawn: Callable[[], AlgorithmSide],
        poller: Poller,
        log: Log,
        crashes: CrashReporter,
        on_frames: Callable[[list[Frame]], None],
        on_death: Callable[[int], None],
        on_handover: Callable[[socket.socket], bool],
    ) -> None:
        self._spawn = spawn
        self._poller = poller
        self._log = log
        self._crashes = crashes
        self._on_frames = on_frames
        self._on_death = on_death
        self._on_handover = on_handover
        self._side: AlgorithmSide | None = None
        self._started_at = 0.0
        self._closed_at: float | None = None  # when to give up waiting for SIGCHLD
        self._refused = ""  # why we killed the algorithm side as if it had crashed

    @property
    def channel(self) -> Channel | None:
        """The pipes to the algorithm side; None if it was killed and not replaced."""
        return None if self._side is None else self._side.channel

    def age(self) -> float:
        """Return the seconds since the algorithm side was started."""
        return time.monotonic() - self._started_at

    def adopt(self, side: AlgorithmSide) -> None:
        """Take over an algorithm side that is running already."""
        self._side = side
        self._started_at = time.monotonic()
        self._closed_at = None
        self._refused = ""
        channel = side.channel
        self._poller.watch(channel.tasks, self._read, channel.tasks.outbox)
        self._poller.watch(channel.control, None, channel.control.outbox)
        handover = channel.handover
        if handover is not None:
            self._poller.watch(handover, lambda: self._read_handover(handover))

    def pause(self, paused: bool) -> None:
        """Stop reading the algorithm side, so that it has to wait, or read it again."""
        if self._side is not None:
            self._poller.pause(self._side.channel.tasks, paused)

    def kill(self, reason: str, stuck: bool, respawn: bool) -> None:
        """Kill the algorithm side and all processes that user code has started.

        Args:
            reason: for the log.
            stuck: write its stacks to the log first.
            respawn: start another one.
        """
        side = self._side
        if side is None:
            return
        self._log.warning(f"killing the algorithm process: {reason}")
        if stuck:
            self._crashes.report_stuck(side.stacks(ask=True))
        self._forget(side.channel)
        side.kill()
        if not side.ends_with_its_pipe:
            descendants.kill_all()  # also what user code started in sessions of its own
        self._side = None
        if respawn:
            side.close()
            self.adopt(self._spawn())

    def refuse(self, reason: str) -> None:
        """Treat the algorithm side as crashed, because what it sends makes no sense.

        Args:
            reason: completes "the algorithm process …".
        """
        side = self._side
        if side is None or self._refused:
            return
        self._refused = reason
        self._forget(side.channel)
        side.kill()
        if side.ends_with_its_pipe:
            self._died(side.status or 0)

    def kill_rest(self) -> None:
        """Kill what is left of its process group, which may still hold its output open."""
        if self._side is not None:
            self._side.kill()

    def close(self) -> None:
        """Release what this process holds of the algorithm side, which has ended."""
        if self._side is not None:
            self._side.close()
            self._side = None

    def report_crash(self, status: int) -> None:
        """Report that the algorithm side died with this wait status."""
        if self._side is not None:
            self._crashes.report_crash(status, self._side.stacks(ask=False), self._refused)

    def reap(self) -> None:
        """Reap the processes that have ended; the algorithm process may be one of them."""
        for pid, status in descendants.reap():
            side = self._side
            if side is not None and side.died_with(pid, status):
                # Its final messages are still in the pipe, and they count.
                self._on_frames(self._read_frames(side, everything=True) or [])
                self._died(status)

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: there is nothing to wait for."""
        return self._closed_at

    def tick(self, now: float) -> None:
        """Do what is due at `now`."""
        if self._closed_at is None or now < self._closed_at:
            return
        self._closed_at = None
        assert self._side is not None
        if self._side.ends_with_its_pipe:
            self._died(self._side.status or 0)
            return
        self.refuse(
            "has closed the wrapper's pipe (os.closerange, or a daemon that closes all files): "
            "keep the file descriptors open that were open at the start"
        )

    def _read(self) -> None:
        assert self._side is not None
        frames = self._read_frames(self._side)
        if frames is not None:
            self._on_frames(frames)
            return
        self._forget(self._side.channel)
        # In a moment SIGCHLD says how it died. If not, it is alive without its pipe.
        patience = 0.0 if self._side.ends_with_its_pipe else _END_OF_STREAM_PATIENCE
        self._closed_at = time.monotonic() + patience

    def _read_frames(self, side: AlgorithmSide, everything: bool = False) -> list[Frame] | None:
        """Read the side's frames; other bytes are a crash, at once."""
        if self._refused:
            return []
        try:
            return side.channel.read(everything)
        except PipeError as error:
            self.refuse(
                "wrote to the wrapper's pipe, or read from it: keep to the file descriptors that "
                f"your code has opened (os.write, a loop over descriptor numbers); found {error}"
            )
            return []

    def _read_handover(self, handover: socket.socket) -> None:
        if not self._on_handover(handover):
            self._poller.forget(handover)

    def _died(self, status: int) -> None:
        self._closed_at = None
        self._on_death(status)

    def _forget(self, channel: Channel) -> None:
        self._poller.forget(channel.tasks)
        self._poller.forget(channel.control)
        if channel.handover is not None:
            self._poller.forget(channel.handover)
