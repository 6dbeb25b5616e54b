"""The frames between the wrapper's two processes, and the two pipes that carry them.

The pipe *tasks* carries the work of the algorithm process's main thread, one item after the other,
and everything that the process sends back. The pipe *control* carries what the process must receive
while user code occupies the main thread; a second thread reads it. The main thread therefore reads
its tasks itself: a thread that handed them over would double the cost of a task.

A frame is kind (1 byte), 3 zero bytes, generation (4 bytes), payload length (8 bytes), all big
endian, then the payload. A payload that comes from the worker, or goes to it, is a whole message in
the encoding of the WebSocket: the supervisor forwards it without decoding.
"""

from __future__ import annotations

import signal
import struct
from enum import IntEnum
from typing import NamedTuple, NoReturn

from .stream_cutter import Head, StreamCutter

# The environment variable that gives the algorithm process its file descriptors:
# "TASKS,CONTROL,STACKS": the two pipes, and the file for faulthandler's stacks. If the supervisor
# holds results for peers (mode v3), a fourth descriptor is the socket that hands them over.
CHANNEL_VARIABLE = "HKUBE_WRAPPER_CHANNEL"

# What has glibc keep large values in huge pages, if the supervisor decides so. The algorithm
# process removes it, so that processes that user code starts do not inherit it.
TUNABLES_VARIABLE = "GLIBC_TUNABLES"
HUGE_PAGES = "glibc.malloc.hugetlb=1"

# Signals between the two processes and within the algorithm process. Real-time signals where the
# system has them, because user code may use any of the others.
_FIRST_SIGNAL = getattr(signal, "SIGRTMIN", None)
DUMP_SIGNAL: int = _FIRST_SIGNAL + 8 if _FIRST_SIGNAL else signal.SIGUSR1
INTERRUPT_SIGNAL: int = _FIRST_SIGNAL + 9 if _FIRST_SIGNAL else signal.SIGUSR2

# An algorithm process that fails in the wrapper's own code writes this line, and what happened, to
# the file for faulthandler's stacks: that needs no free descriptor and no memory to speak of.
OWN_FAILURE = "the wrapper's own code failed:\n"

# In its place if a package that the wrapper needs is broken.
BROKEN_PACKAGE = "an installed package is broken:\n"

_HEADER = struct.Struct("!IIQ")  # kind and zero bytes, generation, length
_KIND_SHIFT = 24
_INFO_SHIFT = 32
_FIRST_SHIFT = _INFO_SHIFT + _KIND_SHIFT
_new_tuple = tuple.__new__
HEADER_SIZE = _HEADER.size
_ANY = 2**64  # more than a header can hold
# No payload between the two processes is longer, whatever the settings say.
MAX_PAYLOAD = 4 * 1024**3


class FrameKind(IntEnum):
    """The kinds of frames: all but the last group go to the algorithm process."""

    # Through the tasks pipe.
    INITIALIZE = 1  # a task begins; payload: the worker's message
    START = 2  # run the task; payload: the worker's message
    TASK = 7  # INITIALIZE and START in one, if the user's module has no initialize
    PAUSE = 15  # return the main thread to the test that lent it (`wrapper.testing`)
    # Through both pipes: the main thread learns when to answer, the other thread what to end.
    STOP = 3  # end the task and call the user's stop; payload: the worker's message or nothing
    EXIT = 4  # call the user's exit and end; payload: the worker's message or nothing
    # Through the control pipe.
    INTERRUPT = 5  # raise AlgorithmStopped in the user's code, if it still runs
    ANSWER = 6  # the answer to a call of HKubeApi; payload: the worker's message
    STREAM_MESSAGE = 8  # a message of a parent node; these payloads: see stream_frames
    STREAM_REPLY = 9  # an answer to a STREAM_COMMAND, or news of the queue

    MODULE_LOADED = 16  # the user's module was loaded, or failed; payload: OptionalFunctions
    INITIALIZE_COMPLETED = 17  # the reply to INITIALIZE; no payload
    FINAL_MESSAGE = 18  # the end of the task; payload: the message for the worker (done or error)
    STOP_COMPLETED = 19  # the reply to STOP; no payload
    USER_MESSAGE = 20  # payload: a message for the worker
    STREAM_SEND = 21  # a message for child nodes
    STREAM_HANDLED = 22  # a STREAM_MESSAGE was handled
    STREAM_COMMAND = 23  # begin to listen, reset the queue, ask for statistics
    HELD_RESULT = 24  # a small result to hold for peers; payload: see storage.peers.handover


TO_ALGORITHM = frozenset(kind for kind in FrameKind if kind < FrameKind.MODULE_LOADED)
TO_SUPERVISOR = frozenset(FrameKind) - TO_ALGORITHM
_STREAM_WORD = FrameKind.STREAM_SEND << _KIND_SHIFT  # these do not go to HKube's worker


class PipeError(Exception):
    """The bytes in a pipe are not a frame: user code has written to it, or read from it."""


class OptionalFunctions(IntEnum):
    """Bits of a MODULE_LOADED frame: which optional functions the user's module has.

    A module that failed to load counts as having `initialize`: the reply to it reports the failure.
    """

    STOP = 1
    INITIALIZE = 2


class Frame(NamedTuple):
    """One frame.

    Attributes:
        kind: a `FrameKind`.
        generation: the task (or stop) it belongs to.
        payload: see the module's docstring.
    """

    kind: int
    generation: int
    payload: bytes | bytearray


def header(kind: int, generation: int, length: int) -> bytes:
    """Return the header of a frame whose payload has `length` bytes."""
    return _HEADER.pack(kind << _KIND_SHIFT, generation, length)


def frame(kind: int, generation: int, payload: bytes) -> bytes:
    """Return a whole frame, which is copied: for small payloads."""
    return header(kind, generation, len(payload)) + payload


class FrameLimits:
    """What the heads of the frames in a pipe may hold. User code can write to any descriptor.

    Args:
        kinds: the kinds of frames that come through this pipe.
        longest: the most bytes that a payload may have; those of streaming may have MAX_PAYLOAD.

    Attributes:
        newest: the highest generation that was given out so far.
    """

    def __init__(
        self, kinds: frozenset[FrameKind] = frozenset(FrameKind), longest: int = MAX_PAYLOAD
    ) -> None:
        # Plain numbers, because looking up an enum's member is slow.
        self._first_bytes = frozenset(map(int, kinds))
        self._words = frozenset(kind << _KIND_SHIFT for kind in self._first_bytes)
        self._longest = longest
        self.newest = _ANY

    def read_head(self, buffer: memoryview, start: int, end: int) -> Head | None:
        """Read the head of a frame (see `StreamCutter`).

        Raises:
            PipeError: it is not one; known from the first wrong byte on.
        """
        if end - start < HEADER_SIZE:
            if buffer[start] not in self._first_bytes:
                _refuse(f"bytes that begin no frame: {bytes(buffer[start:end]).hex()}")
            return None
        word, generation, length = _HEADER.unpack_from(buffer, start)
        if word not in self._words:
            begin = bytes(buffer[start : start + HEADER_SIZE]).hex()
            _refuse(f"bytes that begin no frame: {begin}")
        if generation > self.newest:
            _refuse(f"a frame of task {generation}, but the newest task is {self.newest}")
        if length > self._longest and (word != _STREAM_WORD or length > MAX_PAYLOAD):
            _refuse(f"a frame of {length:,} bytes, but {self._longest:,} is the limit")
        return HEADER_SIZE, length, word << _INFO_SHIFT | generation

    def take_small(self, buffer: memoryview, start: int, end: int, frames: list[Frame]) -> int:
        """Take whole frames (see `StreamCutter`); what is unusual is left to `read_head`."""
        words, newest, longest = self._words, self.newest, self._longest
        while end - start >= HEADER_SIZE:
            word, generation, length = _HEADER.unpack_from(buffer, start)
            first = start + HEADER_SIZE
            last = first + length
            if last > end or word not in words or generation > newest or length > longest:
                break
            frames.append(Frame(word >> _KIND_SHIFT, generation, bytes(buffer[first:last])))
            start = last
        return start


def frame_cutter(limits: FrameLimits | None = None) -> StreamCutter[Frame]:
    """Return a cutter for the bytes of a pipe.

    Args:
        limits: what its frames may be; None: any frame.
    """
    limits = limits or FrameLimits()
    return StreamCutter(limits.read_head, _make_frame, limits.take_small)


def _refuse(found: str) -> NoReturn:
    raise PipeError(found)


def _make_frame(info: int, payload: bytes | bytearray) -> Frame:
    # `Frame(…)` is a function in Python, half of the cost of cutting a frame.
    return _new_tuple(Frame, (info >> _FIRST_SHIFT, info & 0xFFFFFFFF, payload))
