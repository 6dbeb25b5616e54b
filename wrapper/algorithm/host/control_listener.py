"""The thread that reads the control pipe while user code runs on the main thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import DecodingError
from ...ipc.frames import Frame, FrameKind, PipeError
from ...protocol.encoding.encoding import Encoding
from ...protocol.messages import shapes
from ...protocol.messages.commands import STREAMING_IN_MESSAGE
from .native_thread import NativeThread
from .pipes import Pipes
from .running_task import CurrentTask
from .stop_handler import StopHandler
from .user_code import UserCode

if TYPE_CHECKING:
    from ...log import Log

# Looked up once, because access to an enum member is slow and every answer passes here.
_ANSWER = FrameKind.ANSWER
_STREAM_FRAMES = frozenset((FrameKind.STREAM_MESSAGE, FrameKind.STREAM_REPLY))


class ControlListener:
    """Passes answers to the calls that wait for them, and stops the user's code.

    Args:
        pipes: lead to the supervisor.
        encoding: the encoding of the worker's messages.
        user: the user's code.
        stop_handler: calls the user's `stop`.
        current: the running task.
        log: the wrapper's log.
        on_supervisor_gone: called when the supervisor has ended while user code runs.
        on_failure: called when the pipe cannot be read any more.
    """

    def __init__(
        self,
        pipes: Pipes,
        encoding: Encoding,
        user: UserCode,
        stop_handler: StopHandler,
        current: CurrentTask,
        log: Log,
        on_supervisor_gone: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._pipes = pipes
        self._encoding = encoding
        self._user = user
        self._stop_handler = stop_handler
        self._current = current
        self._log = log
        self._on_supervisor_gone = on_supervisor_gone
        self._on_failure = on_failure
        self._thread = NativeThread(self._listen)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the pipe is closed."""
        self._thread.join()

    def _listen(self) -> None:
        try:
            self._serve()
        except PipeError as error:
            self._on_failure(error)
            return
        if self._user.running:  # nobody can receive its result any more
            self._on_supervisor_gone()

    def _serve(self) -> None:
        for frame in self._pipes.control():
            try:
                self._handle(frame)
            # Without this thread no stop arrives, so a lack of memory or threads must not end it.
            except Exception as error:
                self._log.error(f"a message was lost: {type(error).__name__}: {error}")
            del frame

    def _handle(self, frame: Frame) -> None:
        if frame.kind == _ANSWER:
            self._resolve_call(frame)
        elif frame.kind in _STREAM_FRAMES:
            self._take_stream_frame(frame)
        elif frame.kind == FrameKind.INTERRUPT:
            # A late one must not end the next task.
            if self._user.is_current(frame.generation):
                self._user.interrupt()
        else:
            self._stop(frame)

    def _resolve_call(self, frame: Frame) -> None:
        task = self._current.task
        if task is None:
            return
        try:
            message = self._encoding.decode(frame.payload)
        except DecodingError as error:
            self._log.warning(f"ignored an answer of the worker: {error}")
            return
        if not isinstance(message, dict):
            return
        command, data = str(message.get("command")), message.get("data")
        answer = shapes.parse_answer(command, data)
        if answer is not None:
            task.calls.resolve(answer)
        elif task.stream is not None and command == STREAMING_IN_MESSAGE:
            task.stream.receive_from_gateway(data)

    def _take_stream_frame(self, frame: Frame) -> None:
        task = self._current.task
        if task is None or task.stream is None or frame.generation != task.generation:
            return
        if frame.kind == FrameKind.STREAM_MESSAGE:
            task.stream.receive_frame(frame.payload)
        else:
            task.stream.take_reply(frame.payload)

    def _stop(self, frame: Frame) -> None:
        """Stop the user's code; the main thread answers once that code has returned."""
        task = self._current.task
        if task is not None and task.generation < frame.generation:
            # Outside the stop handler's lock, because it runs user code: done-callbacks.
            task.calls.stop()
            if task.stream is not None:
                task.stream.end_input()
        self._stop_handler.stop_running_code(frame)
