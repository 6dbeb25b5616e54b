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
from typing import NamedTuple

from .stream_cutter import Head, StreamCutter

# The environment variable that gives the algorithm process its file descriptors:
# "TASKS,CONTROL,STACKS": the two pipes, and the file for faulthandler's stacks. If the supervisor
# holds results for peers (mode v3), a fourth descriptor is the socket that hands them over.
CHANNEL_VARIABLE = "HKUBE_WRAPPER_CHANNEL"

# Signals between the two processes and within the algorithm process. Real-time signals where the
# system has them, because user code may use any of the others.
_FIRST_SIGNAL = getattr(signal, "SIGRTMIN", None)
DUMP_SIGNAL: int = _FIRST_SIGNAL + 8 if _FIRST_SIGNAL else signal.SIGUSR1
INTERRUPT_SIGNAL: int = _FIRST_SIGNAL + 9 if _FIRST_SIGNAL else signal.SIGUSR2

_HEADER = struct.Struct("!BxxxIQ")
HEADER_SIZE = _HEADER.size


class FrameKind(IntEnum):
    """The kinds of frames: all but the last group go to the algorithm process."""

    # Through the tasks pipe.
    INITIALIZE = 1  # a task begins; payload: the worker's message
    START = 2  # run the task; payload: the worker's message
    TASK = 7  # INITIALIZE and START in one, if the user's module has no initialize
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
    return _HEADER.pack(kind, generation, length)


def frame_cutter() -> StreamCutter[Frame]:
    """Return a cutter for the bytes of a pipe."""
    return StreamCutter(_read_head, _make_frame)


def _read_head(buffer: memoryview, start: int, end: int) -> Head | None:
    if end - start < HEADER_SIZE:
        return None
    kind, generation, length = _HEADER.unpack_from(buffer, start)
    return HEADER_SIZE, length, kind << 32 | generation


def _make_frame(info: int, payload: bytes | bytearray) -> Frame:
    return Frame(info >> 32, info & 0xFFFFFFFF, payload)
