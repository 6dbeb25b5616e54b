"""The algorithm side's ends of the two pipes to the supervisor (see `ipc.frames`)."""

from __future__ import annotations

import os
import socket
from _thread import start_new_thread
from collections import deque
from collections.abc import Iterator
from threading import Lock

from ...ipc.frames import TO_ALGORITHM, Frame, FrameLimits, frame_cutter, header
from .interruption import Interruption

# A payload up to this size is copied, so that header and payload need one system call.
_SMALL_BYTES = 64 * 1024

_Pieces = tuple[bytes | bytearray, ...]


class Pipes:
    """Sends and receives frames; blocks.

    Args:
        tasks: brings the main thread's frames; all frames to the supervisor leave here.
        control: brings frames that must be handled while user code runs.
        interruption: held while a frame is written, which must not be cut.
    """

    def __init__(
        self, tasks: socket.socket, control: socket.socket, interruption: Interruption
    ) -> None:
        self._tasks = tasks
        self._control = control
        self._interruption = interruption
        self._lock = Lock()
        self._owner = os.getpid()
        # Frames that a user's signal handler sends while the main thread is writing another.
        self._deferred: deque[_Pieces] = deque()

    def send(
        self, kind: int, generation: int, payload: bytes | bytearray = b"", before: bytes = b""
    ) -> None:
        """Send a frame; safe from any thread. A fork of the process sends nothing.

        Args:
            kind: the frame's kind.
            generation: its generation.
            payload: its payload.
            before: a frame to send just before, in the same write; small.
        """
        if os.getpid() != self._owner:
            return
        head = before + header(kind, generation, len(payload))
        pieces = (head + payload,) if len(payload) <= _SMALL_BYTES else (head, payload)
        held = self._interruption.held
        if held.by_this_thread():
            self._deferred.append(pieces)
            return
        if len(pieces) > 1 and held.is_for_this_thread():
            # Here, a user's signal handler may raise between two pieces. In another thread it
            # cannot: there the frame is written whole, whatever is raised meanwhile.
            with held:
                self._write_in_thread(pieces)
        else:
            self._write_here(pieces)
        while self._deferred:
            with held, self._lock:
                if self._deferred:  # another thread may have been first
                    self._write(self._deferred.popleft())

    def _write_in_thread(self, pieces: _Pieces) -> None:
        """Write a frame in a new thread and wait until it is written.

        Not a `Thread`: this may run in a signal handler that interrupted `threading` (a `join`, a
        `start`) while that held one of its own locks. A `Thread` would wait for the lock, and we
        for the `Thread`.
        """
        written = Lock()
        written.acquire()

        def write() -> None:
            try:
                self._write_here(pieces)
            finally:
                written.release()

        try:
            start_new_thread(write, ())
        except RuntimeError:  # cannot start a thread
            self._write_here(pieces)
        else:
            written.acquire()

    def _write_here(self, pieces: _Pieces) -> None:
        with self._interruption.held, self._lock:
            self._write(pieces)

    def _write(self, pieces: _Pieces) -> None:
        try:
            for piece in pieces:
                self._tasks.sendall(piece)
        except OSError:
            pass  # the supervisor has ended: receiving ends too, and then this process

    def tasks(self) -> Iterator[Frame]:
        """Yield the main thread's frames until the supervisor closes its end.

        Raises:
            PipeError: user code has read from the pipe.
        """
        return _receive(self._tasks)

    def control(self) -> Iterator[Frame]:
        """Yield the listening thread's frames until the supervisor closes its end.

        Raises:
            PipeError: user code has read from the pipe.
        """
        return _receive(self._control)

    def close(self) -> None:
        """Close both pipes, which shows the supervisor that this side has ended."""
        for sock in (self._tasks, self._control):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def _receive(sock: socket.socket) -> Iterator[Frame]:
    cutter = frame_cutter(FrameLimits(TO_ALGORITHM))
    while True:
        try:
            count = sock.recv_into(cutter.space())
        except OSError:
            return
        if not count:
            return
        frames = cutter.filled(count)
        frames.reverse()
        while frames:
            # Popped, so that nothing here holds a frame, which may be 90 MB, while it is in use.
            yield frames.pop()
