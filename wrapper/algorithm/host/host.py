"""The algorithm process's main loop: it runs the user's functions, task after task.

User code runs on the main thread, where signals and asyncio work as everywhere. Meanwhile a second
thread listens (see `control_listener`): it resolves calls that wait, and stops the user's code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import DecodingError
from ...ipc.frames import Frame, FrameKind, OptionalFunctions
from ...protocol.messages.trace_context import find_context
from ...streaming.job import STREAM_KIND
from ...text.load_messages import CANNOT_LOAD, TASK_FAILED
from ..errors.failure import FailureReport
from ..tracing.trace_scope import TraceScope
from .control_listener import ControlListener
from .failure_reporter import FailureReporter
from .pipes import Pipes
from .running_task import CurrentTask, RunningTask
from .settings import HostSettings
from .stop_handler import StopHandler
from .task_io import TaskIO
from .user_code import UserCode

if TYPE_CHECKING:
    from ...log import Log
    from ..loading.loader import UserAlgorithm

# Looked up once, because access to an enum member is slow and every frame passes here.
_TRACE_WITHIN = 1024  # bytes of a start message, which holds little else
_START, _TASK = FrameKind.START, FrameKind.TASK
_INITIALIZE_COMPLETED, _FINAL_MESSAGE = FrameKind.INITIALIZE_COMPLETED, FrameKind.FINAL_MESSAGE
_ENDINGS = frozenset((FrameKind.STOP, FrameKind.EXIT))


class Host:
    """Serves the supervisor.

    Args:
        pipes: lead to the supervisor.
        user: calls the user's functions.
        settings: see `HostSettings`.
        log: the wrapper's log.
        on_supervisor_gone: called from another thread when the supervisor has ended while user
            code runs; does not return.
        on_failure: called from another thread when the wrapper's own code cannot go on.
    """

    def __init__(
        self,
        pipes: Pipes,
        user: UserCode,
        settings: HostSettings,
        log: Log,
        on_supervisor_gone: Callable[[], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._pipes = pipes
        self._user = user
        self._log = log
        self._current = CurrentTask()
        self._task_io = TaskIO(pipes, settings, user, log)
        self._reporter = FailureReporter(pipes, settings, log)
        self._stop_handler = StopHandler(user, settings.encoding, self._reporter)
        self._listener = ControlListener(
            pipes,
            settings.encoding,
            user,
            self._stop_handler,
            self._current,
            log,
            on_supervisor_gone,
            on_failure,
        )

    def run(self, load: Callable[[], UserAlgorithm]) -> int:
        """Load the user's module and serve until the supervisor sends EXIT or closes the pipes.

        Args:
            load: loads the module; may raise LoadError.

        Returns:
            The exit code that the user's `exit` asks for by `sys.exit`, or 0.
        """
        self.begin(load)
        return self.serve()

    def begin(self, load: Callable[[], UserAlgorithm]) -> None:
        """Load the user's module, once; see `run`."""
        self._listener.start()
        self._load(load)

    def serve(self) -> int:
        """Serve, after `begin`, until the supervisor sends EXIT or no more frames arrive.

        Returns:
            See `run`.
        """
        for frame in self._pipes.tasks():
            if frame.kind in _ENDINGS:
                self._end_task(frame)
                if frame.kind == FrameKind.EXIT:
                    return self._stop_handler.call_exit(frame)
                self._pipes.send(FrameKind.STOP_COMPLETED, frame.generation)
            elif self._user.is_current(frame.generation):
                if frame.kind == _START:
                    self._note_trace(frame)
                    self._start(frame.generation)
                    continue
                is_whole = frame.kind == _TASK
                task = self._read_task(frame)
                # Until the frame is released, a large input takes twice its memory.
                del frame
                if task is None:
                    continue
                generation = task.generation
                self._initialize(task, is_whole)
                del task
                if is_whole:
                    self._start(generation)
        return 0

    def close(self) -> None:
        """Close the pipes, which shows the supervisor that this side has ended."""
        self._pipes.close()
        self._listener.join()
        self._user.close()

    def _load(self, load: Callable[[], UserAlgorithm]) -> None:
        failure = self._user.load(load)
        if failure is not None:
            self._reporter.log_task_failure(CANNOT_LOAD, failure)
        algorithm = self._user.algorithm
        if algorithm is None:
            # Without a module, each task fails when it is initialized.
            functions = int(OptionalFunctions.INITIALIZE)
        else:
            for remark in algorithm.remarks:
                self._log.warning(remark)
            functions = (OptionalFunctions.STOP if algorithm.stop else 0) | (
                OptionalFunctions.INITIALIZE if algorithm.initialize else 0
            )
        self._pipes.send(FrameKind.MODULE_LOADED, 0, bytes([functions]))
        # After the message, so that the import takes place while the worker prepares the task.
        self._user.prepare_reports()

    def _read_task(self, frame: Frame) -> RunningTask | None:
        """Read a message that begins a task; None if it is unreadable."""
        try:
            task = self._task_io.read_task(frame)
        except DecodingError as error:
            text = f"the worker's initialize message cannot be read: {error}"
            self._reporter.send_error(frame.generation, FailureReport(error.code, text, ""))
            return None
        self._user.advance(frame.generation)
        return task

    def _initialize(self, task: RunningTask, is_whole: bool) -> None:
        self._current.begin(task)
        job, trace_ids = task.job, task.trace[:2] if task.trace is not None else ()
        # The text is made only if a line is written.
        self._log.bind_task_later(
            lambda: " ".join(
                each or "-" for each in (job.job_id, job.task_id, job.node_name, *trace_ids)
            )
        )
        algorithm = self._user.algorithm
        if algorithm is None:
            assert self._user.load_error is not None
            # The details are in the log already.
            self._fail(task, self._user.load_error, log_details=False)
            return
        if algorithm.initialize is not None:
            initialize = algorithm.initialize
            if not self._fill_input(task):
                return
            with TraceScope(task.trace):
                outcome = self._user.call(
                    lambda: initialize(task.data), task.generation, keep_tasks=True
                )
            if outcome.report is not None:
                self._fail(task, outcome.report)
                return
        if not is_whole:
            self._pipes.send(_INITIALIZE_COMPLETED, task.generation)

    def _fill_input(self, task: RunningTask) -> bool:
        """Mode v3: read what the input refers to; False if that has failed the task."""
        report = self._task_io.fill_input(task)
        if report is not None:
            self._fail(task, report)
        return report is None

    def _note_trace(self, start: Frame) -> None:
        """Note HKube's span of `start`, if it is another one than the task's."""
        context, task = find_context(start.payload[:_TRACE_WITHIN]), self._current.task
        if context is not None and task is not None:
            task.trace = context

    def _start(self, generation: int) -> None:
        task, algorithm = self._current.task, self._user.algorithm
        if task is None or algorithm is None:
            return
        # For a user's `initialize`, the input was read before.
        if algorithm.initialize is None and not self._fill_input(task):
            return
        with TraceScope(task.trace):
            if task.stream is None:
                outcome = self._user.call(
                    lambda: algorithm.start(task.data, task.hkube_api), generation
                )
            else:
                outcome = self._user.call(lambda: self._stream(task, algorithm.start), generation)
        if outcome.report is not None:
            self._fail(task, outcome.report)
            return
        if self._is_late(task):
            return
        result = [outcome.result]
        del outcome
        done = self._task_io.done_message(task, result)
        if isinstance(done, FailureReport):
            self._fail(task, done)
            return
        self._current.end()
        task.end(None)
        self._pipes.send(_FINAL_MESSAGE, generation, done.payload, done.before)

    def _stream(self, task: RunningTask, start: Callable[[Any, Any], Any]) -> Any:
        """Run the `start` of a streaming node: once, or once a message if it is stateless."""
        stream, data = task.stream, task.data
        assert stream is not None

        def call(arguments: dict[str, Any]) -> Any:
            return self._user.finish(start(arguments, task.hkube_api))

        if data.get("kind") == STREAM_KIND and data.get("stateType") == "stateless":
            return stream.run_stateless(call, data, bool(data.get("childs")))
        result = call(data)
        stream.stop(force=False)  # a message in work is still handled
        # The debug gateway sends on what `done` brings, and cannot be asked not to.
        return None if result is task.hkube_api.SKIP else result

    def _fail(self, task: RunningTask, report: FailureReport, log_details: bool = True) -> None:
        if self._is_late(task):
            return
        self._current.end()
        logged = report if log_details else report._replace(details="")
        self._reporter.log_task_failure(TASK_FAILED, logged)
        task.end(report.message)
        self._reporter.send_error(task.generation, report)

    def _is_late(self, task: RunningTask) -> bool:
        """Whether a stop overtook the task: then its `done` or its error is dropped."""
        return not self._user.is_current(task.generation)

    def _end_task(self, frame: Frame) -> None:
        """Do what STOP and EXIT ask for; no user code runs on this thread now."""
        self._stop_handler.complete_stop(frame)
        task = self._current.end()
        if task is not None:
            task.end("stopped")
