"""Handing a result from the algorithm process to the supervisor, which holds it for peers.

A note: number of the handover (4 bytes), payload length (8), header (8), length of the task's id
(2), the id; then the payload, if it is small. A larger one is written to memory that has a file
descriptor, and only this crosses. The answer: the number, and one byte: 1 if it is held.

The supervisor keeps such memory mapped if it is large: the two processes share the pages. A
mapping costs it a file descriptor, which it has few of, so what is not large is copied.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import struct
import time
from itertools import count
from threading import Lock
from typing import Any, NamedTuple

from ..format.encoded import Encoded
from ..format.header import HEADER_SIZE, make_header
from .held_results import Held

_NOTE = struct.Struct(f"!IQ{HEADER_SIZE}sH")
_ANSWER = struct.Struct("!I?")
_LONGEST_ID = 512  # bytes
_LARGEST_INSIDE = 64 * 1024  # bytes
_LARGEST_COPIED = 1024 * 1024  # bytes
_PATIENCE = 5.0  # seconds for the supervisor's answer
_MOST_AT_ONCE = 1024 * 1024 * 1024
# The supervisor reads pages that nobody can take away again: that would be a fatal signal.
_SEALS = getattr(fcntl, "F_SEAL_SHRINK", 0) | getattr(fcntl, "F_SEAL_WRITE", 0)


class Offer(NamedTuple):
    """A result that is handed over.

    Attributes:
        number: of the handover.
        task_id: whose result it is.
        result: None: it cannot be taken, for want of file descriptors or of memory.
    """

    number: int
    task_id: str
    result: Held | None


class Handover:
    """The algorithm process's end.

    Args:
        sock: to the supervisor. Small payloads go in the notes only if it keeps messages whole.
        budget: bytes; what is larger is not even offered.
    """

    def __init__(self, sock: socket.socket, budget: int) -> None:
        sock.settimeout(_PATIENCE)
        self._socket = sock
        self._largest_inside = _largest_inside(sock)
        self._budget = budget
        self._numbers = count(1)
        self._lock = Lock()

    def offer(self, task_id: str, encoded: Encoded) -> bool:
        """Hand a result over; False if it is not held, for whatever reason."""
        identity = task_id.encode()
        if encoded.size > self._budget or len(identity) > _LONGEST_ID:
            return False
        number = next(self._numbers) & 0xFFFFFFFF
        header = encoded.header or make_header(False, "json")
        note = _NOTE.pack(number, encoded.size, header, len(identity)) + identity
        try:
            if encoded.size <= self._largest_inside:
                return self._ask(number, [note, encoded.payload], [])
            fd = _shared_memory(encoded)
            try:
                return self._ask(number, [note], [fd])
            finally:
                os.close(fd)
        except OSError:  # no memory left, or the supervisor is gone, or busy for too long
            return False

    def _ask(self, number: int, message: list[Any], fds: list[int]) -> bool:
        with self._lock:
            socket.send_fds(self._socket, message, fds)
            return self._await_answer(number)

    def _await_answer(self, number: int) -> bool:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            answer = self._socket.recv(_ANSWER.size)
            if len(answer) < _ANSWER.size:
                return False
            answered, is_held = _ANSWER.unpack(answer)
            if answered == number:  # an earlier one was not waited for
                return bool(is_held)
        return False


def _largest_inside(sock: socket.socket) -> int:
    if sock.type != socket.SOCK_SEQPACKET:
        return -1
    at_once = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 2 * _LONGEST_ID
    return min(_LARGEST_INSIDE, at_once)


def receive(sock: socket.socket) -> Offer | None:
    """The supervisor's end: what has been handed over; None if the note cannot be read.

    Raises:
        EOFError: the other end is closed.
        BlockingIOError: there is nothing yet.
    """
    note, fds, _, _ = socket.recv_fds(sock, _NOTE.size + _LONGEST_ID + _LARGEST_INSIDE, 1)
    try:
        if not note:
            raise EOFError
        if len(note) < _NOTE.size:
            return None
        number, size, header, id_length = _NOTE.unpack_from(note)
        begin = _NOTE.size + id_length
        identity = note[_NOTE.size : begin].decode(errors="replace")
        inside = memoryview(note)[begin:]
        if fds:
            taken = _taken(fds[0], header, size)
        else:  # if it was sent and none was free here, the payload is not inside either
            taken = Held(header, inside) if inside.nbytes == size else None
        return Offer(number, identity, taken)
    finally:
        for fd in fds:
            os.close(fd)


def answer(sock: socket.socket, number: int, is_held: bool) -> None:
    """Tell the algorithm process whether a result is held."""
    try:
        sock.send(_ANSWER.pack(number, is_held))
    except OSError:
        pass  # it is gone, or nobody reads there


def _shared_memory(encoded: Encoded) -> int:
    """A file descriptor of memory that holds the payload."""
    if not hasattr(os, "memfd_create"):
        import tempfile  # slow to import

        with tempfile.TemporaryFile() as file:
            _write(file.fileno(), encoded)
            return os.dup(file.fileno())
    fd = os.memfd_create("hkube-result", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        _write(fd, encoded)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _write(fd: int, encoded: Encoded) -> None:
    rest = memoryview(encoded.payload).cast("B") if encoded.size else memoryview(b"")
    while rest:
        rest = rest[os.write(fd, rest[:_MOST_AT_ONCE]) :]


def _taken(fd: int, header: bytes, size: int) -> Held | None:
    try:
        if os.fstat(fd).st_size != size:
            return None
        if size <= _LARGEST_COPIED:
            payload = os.pread(fd, size, 0)
            return Held(header, memoryview(payload)) if len(payload) == size else None
        if hasattr(fcntl, "F_GET_SEALS") and fcntl.fcntl(fd, fcntl.F_GET_SEALS) & _SEALS != _SEALS:
            return None
        mapped = memoryview(mmap.mmap(fd, size, access=mmap.ACCESS_READ))
        return Held(header, mapped, is_mapped=True)
    except (OSError, ValueError, MemoryError):
        return None
