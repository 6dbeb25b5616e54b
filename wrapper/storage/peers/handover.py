"""Hands a result from the algorithm process to the supervisor, which holds it for peers.

The algorithm process sends a note: number of the handover (4 bytes), length of the payload (8),
header (8), length of the task id (2), and the id. A small payload follows in the note. A larger one
is written to shared memory, and only its file descriptor is sent. The supervisor answers with the
number and one byte, which is 1 if it holds the result.

Once the supervisor has held a result, it will hold each small one. Then a small note goes through
the pipe *tasks*, before the message that reports the result: no task waits for an answer, and the
supervisor wakes up once for both. When it stops serving, it sends the number 0 and a 0, and the
algorithm process asks again.

The supervisor maps large payloads, so that both processes share the pages. Each mapping costs it a
file descriptor, so it copies smaller payloads.
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
_UNASKED = 0  # the number of a note that asks for no answer, and of a refusal of any note
_LONGEST_ID = 512  # bytes
_LARGEST_INSIDE = 64 * 1024  # bytes
_LARGEST_IN_FRAME = 32 * 1024  # bytes: with the message that follows, one write takes it whole
_LARGEST_COPIED = 1024 * 1024  # bytes
_PATIENCE = 5.0  # seconds for the supervisor's answer
_MOST_AT_ONCE = 1024 * 1024 * 1024
# Sealed memory cannot shrink: otherwise, reading it could kill the supervisor by SIGBUS.
_SEALS = getattr(fcntl, "F_SEAL_SHRINK", 0) | getattr(fcntl, "F_SEAL_WRITE", 0)


class Offer(NamedTuple):
    """A result that the algorithm process hands over.

    Attributes:
        number: Number of the handover; 0 if no answer is expected.
        task_id: Task whose result it is.
        result: The result; None if it could not be received, for lack of file descriptors or
            memory.
    """

    number: int
    task_id: str
    result: Held | None


class Handover:
    """The end of the algorithm process.

    Args:
        sock: Socket to the supervisor. Small payloads are part of the notes only if the socket
            preserves message boundaries.
        budget: Size in bytes above which results are not offered.
    """

    def __init__(self, sock: socket.socket, budget: int) -> None:
        # Not `settimeout`, which takes a system call before each other one.
        patience = struct.pack("ll", int(_PATIENCE), int(_PATIENCE % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, patience)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)
        sock.setblocking(True)
        self._socket = sock
        self._largest_inside = _largest_inside(sock)
        self._budget = budget
        self._numbers = count()
        self._holds_small = False  # as far as its last answer says
        self._lock = Lock()

    def note(self, task_id: str, encoded: Encoded) -> bytes | None:
        """Return a note that hands a result over without an answer; None if that is not possible.

        It is to be sent as a frame (`FrameKind.HELD_RESULT`).
        """
        identity = task_id.encode()
        if encoded.size > _LARGEST_IN_FRAME or len(identity) > _LONGEST_ID:
            return None
        with self._lock:
            if not self._holds_small or self._was_refused():
                return None
        return b"".join((_note(_UNASKED, encoded, identity), encoded.payload))

    def offer(self, task_id: str, encoded: Encoded) -> bool:
        """Hand a result over; return whether the supervisor holds it."""
        identity = task_id.encode()
        if encoded.size > self._budget or len(identity) > _LONGEST_ID:
            return False
        number = next(self._numbers) % 0xFFFFFFFF + 1
        note = _note(number, encoded, identity)
        try:
            if encoded.size <= self._largest_inside:
                return self._ask(number, [note, encoded.payload], [])
            fd = _shared_memory(encoded)
            try:
                return self._ask(number, [note], [fd])
            finally:
                os.close(fd)
        except OSError:  # out of memory, or the supervisor is gone or too busy
            return False

    def _ask(self, number: int, message: list[Any], fds: list[int]) -> bool:
        with self._lock:
            socket.send_fds(self._socket, message, fds)
            return self._await_answer(number)

    def _await_answer(self, number: int) -> bool:
        deadline = time.monotonic() + _PATIENCE
        is_refused = False
        while time.monotonic() < deadline:
            answer = self._socket.recv(_ANSWER.size)
            if len(answer) < _ANSWER.size:
                return False
            answered, is_held = _ANSWER.unpack(answer)
            if answered == number:  # others answer handovers that timed out
                self._holds_small = is_held and not is_refused
                return bool(is_held)
            is_refused = is_refused or answered == _UNASKED
        return False

    def _was_refused(self) -> bool:
        """Whether something has come since the last answer: only a refusal comes unasked."""
        try:
            self._socket.recv(_ANSWER.size, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        self._holds_small = False
        return True


def _note(number: int, encoded: Encoded, identity: bytes) -> bytes:
    header = encoded.header or make_header(False, "json")
    return _NOTE.pack(number, encoded.size, header, len(identity)) + identity


def _largest_inside(sock: socket.socket) -> int:
    if sock.type != socket.SOCK_SEQPACKET:
        return -1
    at_once = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 2 * _LONGEST_ID
    return min(_LARGEST_INSIDE, at_once)


def receive(sock: socket.socket) -> Offer | None:
    """Receive a result in the supervisor; return None if the note is invalid.

    Raises:
        EOFError: The other end is closed.
        BlockingIOError: No note has arrived yet.
    """
    note, fds, _, _ = socket.recv_fds(sock, _NOTE.size + _LONGEST_ID + _LARGEST_INSIDE, 1)
    try:
        if not note:
            raise EOFError
        return read_note(note, fds[0] if fds else None)
    finally:
        for fd in fds:
            os.close(fd)


def read_note(note: bytes | bytearray, fd: int | None = None) -> Offer | None:
    """Read a note in the supervisor; return None if it is invalid.

    Args:
        note: The note.
        fd: Shared memory that holds the payload; None if the note holds it.
    """
    if len(note) < _NOTE.size:
        return None
    number, size, header, id_length = _NOTE.unpack_from(note)
    begin = _NOTE.size + id_length
    identity = note[_NOTE.size : begin].decode(errors="replace")
    inside = memoryview(note)[begin:]
    if fd is not None:
        held = _from_shared_memory(fd, header, size)
    else:  # also if the descriptor was lost because none was free here
        held = Held(header, inside) if inside.nbytes == size else None
    return Offer(number, identity, held)


def answer(sock: socket.socket, number: int, is_held: bool) -> None:
    """Report to the algorithm process whether its result is held."""
    try:
        sock.send(_ANSWER.pack(number, is_held))
    except OSError:
        pass  # it is gone, or does not read


def refuse(sock: socket.socket) -> None:
    """Report that notes without an answer are not held, or not any more; safe from any thread."""
    answer(sock, _UNASKED, is_held=False)


def _shared_memory(encoded: Encoded) -> int:
    """Write the payload to shared memory and return its file descriptor."""
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


def _from_shared_memory(fd: int, header: bytes, size: int) -> Held | None:
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
