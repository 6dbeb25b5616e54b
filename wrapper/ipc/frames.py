"""The frames between the wrapper's two processes, and the two pipes that carry them.

The pipe *tasks* brings the algorithm process what its main thread does, one after the other; all
that it has to say goes back the same way. The pipe *control* brings what must be heard while user
code runs on the main thread: a second thread reads it. So the main thread waits for its tasks by
itself, with no thread to hand them over, which would cost as much as all the rest of a task.

A frame: kind (1 byte), 3 zero bytes, generation (4 bytes), payload length (8 bytes), all big
endian, then the payload. Payloads that come from the worker, or are meant for it, are whole
messages in the wire's own encoding: the supervisor passes them on without decoding.
"""

from __future__ import annotations

import signal
import struct
from enum import IntEnum
from typing import NamedTuple

from .stream_cutter import Head, StreamCutter

# The environment variable by which the algorithm process finds its file descriptors:
# "TASKS,CONTROL,STACKS": the two pipes, and the file for faulthandler's stacks; where results are
# held for peers (mode v3), a fourth, by which they are handed over.
CHANNEL_VARIABLE = "HKUBE_WRAPPER_CHANNEL"

# Signals between the two processes and within the algorithm process; real-time ones where there
# are any, because user code may have its own use for all others.
_FIRST_SIGNAL = getattr(signal, "SIGRTMIN", None)
DUMP_SIGNAL: int = _FIRST_SIGNAL + 8 if _FIRST_SIGNAL else signal.SIGUSR1
INTERRUPT_SIGNAL: int = _FIRST_SIGNAL + 9 if _FIRST_SIGNAL else signal.SIGUSR2

_HEADER = struct.Struct("!BxxxIQ")
HEADER_SIZE = _HEADER.size


class FrameKind(IntEnum):
    """What a frame is for: the first groups go to the algorithm process, the last comes from it."""

    # Through tasks.
    INITIALIZE = 1  # a task begins; payload: the worker's message
    START = 2  # payload: the worker's message
    TASK = 7  # INITIALIZE and START in one, where there is no initialize of the user's to answer
    # Through both: the main thread learns when to answer, the other one what to end.
    STOP = 3  # end the task and call the user's stop; payload: the worker's message or nothing
    EXIT = 4  # call the user's exit and end; payload: the worker's message or nothing
    # Through control.
    INTERRUPT = 5  # raise AlgorithmStopped in the user's code, if it still runs
    ANSWER = 6  # the answer to a call of HKubeApi; payload: the worker's message

    MODULE_LOADED = 16  # the user's module is loaded, or failed to; payload: one byte of Functions
    INITIALIZE_COMPLETED = 17  # the answer to INITIALIZE; no payload
    FINAL_MESSAGE = 18  # the task's last word; payload: the message for the worker (done or error)
    STOP_COMPLETED = 19  # what STOP asked for is done
    USER_MESSAGE = 20  # payload: a message for the worker


class OptionalFunctions(IntEnum):
    """Bits of a MODULE_LOADED frame: which optional functions the user's module has.

    A module that failed to load counts as one with `initialize`: there its failure is told.
    """

    STOP = 1
    INITIALIZE = 2


class Frame(NamedTuple):
    """One frame.

    Attributes:
        kind: what it is for.
        generation: the task (or stop) it belongs to.
        payload: see the module's docstring.
    """

    kind: int
    generation: int
    payload: bytes | bytearray


def header(kind: int, generation: int, length: int) -> bytes:
    """The header of a frame whose payload has `length` bytes."""
    return _HEADER.pack(kind, generation, length)


def frame_cutter() -> StreamCutter[Frame]:
    """A cutter for the bytes that come through the pipe."""
    return StreamCutter(_read_head, _make_frame)


def _read_head(buffer: memoryview, start: int, end: int) -> Head | None:
    if end - start < HEADER_SIZE:
        return None
    kind, generation, length = _HEADER.unpack_from(buffer, start)
    return HEADER_SIZE, length, kind << 32 | generation


def _make_frame(info: int, payload: bytes | bytearray) -> Frame:
    return Frame(info >> 32, info & 0xFFFFFFFF, payload)
