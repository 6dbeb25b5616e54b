"""The algorithm process seen from outside: starts it, exchanges frames with it, kills it.

It is started with posix_spawn. Threads and CUDA do not survive a fork, and multiprocessing
pickles and imports the user's `__main__` a second time.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Protocol

from ...ipc.frames import (
    CHANNEL_VARIABLE,
    DUMP_SIGNAL,
    MAX_PAYLOAD,
    TO_SUPERVISOR,
    Frame,
    FrameKind,
    FrameLimits,
    frame_cutter,
    header,
)
from ..loop.outbox import Outbox
from .open_files import OpenFiles

# A payload below this size is joined to its header: one system call for a small copy.
_SMALL_BYTES = 4096
_THROUGH_TASKS = frozenset(
    (
        FrameKind.INITIALIZE,
        FrameKind.START,
        FrameKind.TASK,
        FrameKind.PAUSE,
        FrameKind.STOP,
        FrameKind.EXIT,
    )
)
_THROUGH_CONTROL = frozenset(
    (
        *(FrameKind.ANSWER, FrameKind.INTERRUPT, FrameKind.STOP, FrameKind.EXIT),
        *(FrameKind.STREAM_MESSAGE, FrameKind.STREAM_REPLY),
    )
)
# A message of some MB changes hands in few steps. The kernel may allow less (net.core.wmem_max).
_PIPE_BYTES = 1024 * 1024
# What a pipe brings at once. The loop has other work, and comes back.
_MAX_READS = 16
_DUMP_PATIENCE = 0.3
_DUMP_POLL = 0.01


class Pipe:
    """The supervisor's end of one of the two pipes (see `ipc.frames`)."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock
        self.outbox = Outbox(sock)

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return self.socket.fileno()

    def send(self, kind: int, generation: int, payload: bytes | bytearray) -> None:
        """Send a frame; never raises, because SIGCHLD and `read` report the end of the process."""
        head = header(kind, generation, len(payload))
        self._write([head + payload] if len(payload) < _SMALL_BYTES else [head, payload])

    def send_pieces(
        self, kind: int, generation: int, pieces: Sequence[bytes | bytearray | memoryview]
    ) -> None:
        """Send a frame whose payload is in pieces, which are not copied if they are large."""
        length = sum(map(len, pieces))
        head = header(kind, generation, length)
        self._write([b"".join((head, *pieces))] if length < _SMALL_BYTES else [head, *pieces])

    def _write(self, pieces: Sequence[bytes | bytearray | memoryview]) -> None:
        try:
            self.outbox.send(pieces)
        except OSError:
            pass


def channel_pairs(hands_over: bool) -> list[tuple[socket.socket, socket.socket]]:
    """Return both ends of each pipe of a channel.

    Args:
        hands_over: add the pipe that brings results to be held for peers.
    """
    pairs = [socket.socketpair() for _ in range(2)]
    for sock in itertools.chain(*pairs):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIPE_BYTES)
    if hands_over and sys.platform == "linux":  # whole messages; only Linux has it for sure
        pairs.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    elif hands_over:
        pairs.append(socket.socketpair())
    return pairs


class Channel:
    """The supervisor's ends of the pipes.

    Attributes:
        handover: brings results to be held for peers (mode v3); None: none are held.
        longest: the most bytes that a payload of the algorithm side may have.
    """

    def __init__(
        self,
        tasks: socket.socket,
        control: socket.socket,
        handover: socket.socket | None = None,
        *,
        longest: int = MAX_PAYLOAD,
    ) -> None:
        self.tasks = Pipe(tasks)
        self.control = Pipe(control)
        self.handover = handover
        if handover is not None:
            handover.setblocking(False)
        self._limits = FrameLimits(TO_SUPERVISOR, longest)
        self._limits.newest = 0
        self._cutter = frame_cutter(self._limits)

    def give_out(self, generation: int) -> None:
        """Accept frames of this generation from now on, and of those before."""
        self._limits.newest = max(self._limits.newest, generation)

    def send(self, kind: int, generation: int, payload: bytes | bytearray) -> None:
        """Send a frame through the pipe or pipes for its kind."""
        self.give_out(generation)
        if kind in _THROUGH_CONTROL:
            self.control.send(kind, generation, payload)
        if kind in _THROUGH_TASKS:
            self.tasks.send(kind, generation, payload)

    def read(self, everything: bool = False) -> list[Frame] | None:
        """Return frames that have arrived; None at the end of the stream.

        Args:
            everything: do not leave some for the next call.

        Raises:
            PipeError: there are other bytes in the pipe. Do not read it again.
        """
        frames: list[Frame] = []
        reads = 0
        try:
            while everything or reads < _MAX_READS:
                reads += 1
                space = self._cutter.space()
                room = len(space)
                count = self.tasks.socket.recv_into(space)
                if not count:
                    return frames or None
                frames += self._cutter.filled(count)
                if count < room:
                    break
            return frames
        except (BlockingIOError, InterruptedError):
            return frames
        except OSError:
            return frames or None

    def close(self) -> None:
        """Close the pipes; the algorithm side sees the end of the streams.

        What was not sent, and what has not arrived whole, is freed now: this object may live on.
        """
        self.tasks.outbox.discard()
        self.control.outbox.discard()
        self._cutter = frame_cutter(self._limits)
        self.tasks.socket.close()
        self.control.socket.close()
        if self.handover is not None:
            self.handover.close()


class AlgorithmSide(Protocol):
    """The algorithm side: another process, or a part of this one (`--in-process`)."""

    channel: Channel
    ends_with_its_pipe: bool  # no SIGCHLD reports its end
    status: int | None  # the wait status of its end; None: not known

    def kill(self) -> None:
        """Kill it and its process group."""

    def close(self) -> None:
        """Release what this process holds of it."""

    def stacks(self, ask: bool) -> str:
        """Return the stacks of its threads: those of its death, or (`ask`) the current ones."""

    def died_with(self, pid: int, status: int) -> bool:
        """Note that process `pid` was reaped with `status`; return True if it was this one."""


class AlgorithmProcess:
    """A running algorithm process.

    Args:
        command: what to run; it finds its pipes through the environment.
        environ: its environment, without `CHANNEL_VARIABLE`.
        outputs: file descriptors for its stdout and stderr; None: those of this process.
        hands_over: it hands over results to be held for peers.
        longest: the most bytes that a message for the worker may have.
        files: the limit for its file descriptors; None: that of this process.
    """

    ends_with_its_pipe = False

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        outputs: tuple[int, int] | None = None,
        hands_over: bool = False,
        longest: int = MAX_PAYLOAD,
        files: OpenFiles | None = None,
    ) -> None:
        pairs = channel_pairs(hands_over)
        theirs = [their for _, their in pairs]
        self._stacks = _open_stacks_file()
        self.status: int | None = None
        redirect = [
            (os.POSIX_SPAWN_DUP2, ours_, theirs_) for theirs_, ours_ in enumerate(outputs or (), 1)
        ]
        fds = [their.fileno() for their in theirs]
        fds.insert(2, self._stacks)
        try:
            for fd in fds:
                os.set_inheritable(fd, True)
            with files.inherited_limit() if files is not None else nullcontext():
                self.pid = os.posix_spawn(
                    command[0],
                    list(command),
                    {**environ, CHANNEL_VARIABLE: ",".join(map(str, fds))},
                    file_actions=redirect,
                    # In its own session, so that Ctrl-C in a terminal reaches only the supervisor.
                    setsid=True,
                    # This process may ignore or block signals; the new one must not inherit that.
                    setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD],
                    setsigmask=[],
                )
        except BaseException:
            os.close(self._stacks)
            raise
        else:
            os.set_inheritable(self._stacks, False)
        finally:
            for their in theirs:
                their.close()
        self.channel = Channel(*(ours for ours, _ in pairs), longest=longest)

    def kill(self) -> None:
        """Kill the process and its process group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def close(self) -> None:
        """Close the file descriptors."""
        self.channel.close()
        os.close(self._stacks)

    def died_with(self, pid: int, status: int) -> bool:
        """Note that process `pid` was reaped with wait status `status`."""
        if pid != self.pid:
            return False
        self.status = status
        return True

    def stacks(self, ask: bool) -> str:
        """Return what faulthandler wrote: at a fatal signal or, if `ask`, now."""
        if ask and self.status is None:
            before = os.fstat(self._stacks).st_size
            try:
                os.kill(self.pid, DUMP_SIGNAL)
            except ProcessLookupError:
                return ""
            self._await_stacks(before)
        size = os.fstat(self._stacks).st_size
        return os.pread(self._stacks, size, 0).decode(errors="replace")

    def _await_stacks(self, before: int) -> None:
        """Wait until the file has grown and then stays the same: nothing else marks the end."""
        deadline = time.monotonic() + _DUMP_PATIENCE
        last = before
        while time.monotonic() < deadline:
            time.sleep(_DUMP_POLL)
            size = os.fstat(self._stacks).st_size
            if size > before and size == last:
                return
            last = size


def _open_stacks_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stacks")
    import tempfile

    fd, path = tempfile.mkstemp()
    os.unlink(path)
    return fd
