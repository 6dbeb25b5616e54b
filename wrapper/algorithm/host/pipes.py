"""The algorithm side's ends of the two pipes to the supervisor (see `ipc`)."""

from __future__ import annotations

import os
import socket
from _thread import start_new_thread
from collections import deque
from collections.abc import Iterator
from threading import Lock

from ...ipc.frames import Frame, frame_cutter, header
from .interruption import Interruption

# A payload up to this size is sent together with its header, at the price of a copy.
_SMALL_BYTES = 64 * 1024

_Pieces = tuple[bytes | bytearray, ...]


class Pipes:
    """Sends and receives frames; blocks.

    Args:
        tasks: brings what the main thread does, takes all that is said.
        control: brings what must be heard while user code runs.
        interruption: what raises AlgorithmStopped in the main thread; a frame that is being
            written must not be cut by it.
    """

    def __init__(
        self, tasks: socket.socket, control: socket.socket, interruption: Interruption
    ) -> None:
        self._tasks = tasks
        self._control = control
        self._interruption = interruption
        self._lock = Lock()
        self._owner = os.getpid()
        # What a signal handler of the user's sends while the main thread is amid a frame.
        self._deferred: deque[_Pieces] = deque()

    def send(self, kind: int, generation: int, payload: bytes | bytearray = b"") -> None:
        """Send a frame; safe from any thread. In a fork of the process nothing is sent."""
        if os.getpid() != self._owner:
            return
        head = header(kind, generation, len(payload))
        pieces = (head + payload,) if len(payload) <= _SMALL_BYTES else (head, payload)
        held = self._interruption.held
        if held.by_this_thread():
            self._deferred.append(pieces)
            return
        if len(pieces) > 1 and held.is_for_this_thread():
            # A signal handler of the user's may raise here between two pieces, but in no other
            # thread: there the frame is written whole whatever is raised meanwhile.
            with held:
                self._write_apart(pieces)
        else:
            self._write_alone(pieces)
        while self._deferred:
            with held, self._lock:
                if self._deferred:  # another thread may have been first
                    self._write(self._deferred.popleft())

    def _write_apart(self, pieces: _Pieces) -> None:
        """Write a frame in a thread of its own, and wait for its end.

        Not a `Thread`: this may be a signal handler that breaks into `threading` (a `join`, a
        `start`) while that holds a lock of its own, for which a `Thread` would wait, and we for it.
        """
        written = Lock()
        written.acquire()

        def write() -> None:
            try:
                self._write_alone(pieces)
            finally:
                written.release()

        try:
            start_new_thread(write, ())
        except RuntimeError:  # no thread to be had: it must do without
            self._write_alone(pieces)
        else:
            written.acquire()

    def _write_alone(self, pieces: _Pieces) -> None:
        with self._interruption.held, self._lock:
            self._write(pieces)

    def _write(self, pieces: _Pieces) -> None:
        try:
            for piece in pieces:
                self._tasks.sendall(piece)
        except OSError:
            pass  # the supervisor is gone: receiving ends too, and this process with it

    def tasks(self) -> Iterator[Frame]:
        """The frames for the main thread, until the supervisor closes its end."""
        return _receive(self._tasks)

    def control(self) -> Iterator[Frame]:
        """The frames to be heard at once, until the supervisor closes its end."""
        return _receive(self._control)

    def close(self) -> None:
        """Close both; the supervisor sees the end of the streams."""
        for sock in (self._tasks, self._control):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


def _receive(sock: socket.socket) -> Iterator[Frame]:
    cutter = frame_cutter()
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
            # Given away whole: nothing here may hold a frame, which may be 90 MB, meanwhile.
            yield frames.pop()
