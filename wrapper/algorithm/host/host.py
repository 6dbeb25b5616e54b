"""The algorithm process's main loop: it runs the user's functions, task after task.

User code runs on the main thread, where signals and asyncio work as everywhere. A second thread
listens meanwhile: it ends calls that wait, and tells the user's code to stop.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

from ...errors import AlgorithmStopped, DecodingError, EncodingError, LoadError
from ...ipc.frames import Frame, FrameKind, OptionalFunctions
from ...protocol.messages import shapes
from ..api.task_api import make_task_api
from ..errors.failure import FailureReport
from .interruption import Interruption
from .outgoing import HostSettings, TaskLink, encode
from .pipes import Pipes
from .task_io import Delivery, RunningTask
from .user_code import UserCode, UserCodeOutcome

if TYPE_CHECKING:
    from ...log import Log
    from ..loading.loader import UserAlgorithm

# How long the user's `exit` waits for the user's `stop` that still runs, seconds.
_STOP_PATIENCE = 2.0

# An enum's member is looked up in Python code, too slow for what every frame passes.
_START, _ANSWER = FrameKind.START, FrameKind.ANSWER
_ENDINGS = frozenset((FrameKind.STOP, FrameKind.EXIT))


class Host:
    """Serves the supervisor.

    Args:
        pipes: to the supervisor.
        interruption: ends user code on the main thread; installed already.
        settings: see there.
        log: the wrapper's log.
        gone: called when the supervisor has ended while user code runs; does not return.
        user: calls the user's functions; None: one of its own.
    """

    def __init__(
        self,
        pipes: Pipes,
        interruption: Interruption,
        settings: HostSettings,
        log: Log,
        gone: Callable[[], None],
        user: UserCode | None = None,
    ) -> None:
        self._pipes = pipes
        self._interruption = interruption
        self._settings = settings
        self._log = log
        self._gone = gone
        self._user = user or UserCode(interruption)
        self._delivery = Delivery(settings, self._user, log.warning)
        self._task: RunningTask | None = None
        self._listener = Thread(target=self._listen, name="hkube-control", daemon=True)

    def run(self, load: Callable[[], UserAlgorithm]) -> None:
        """Load the user's module and serve until the supervisor says that it is over.

        Args:
            load: raises LoadError.
        """
        self.begin(load)
        self.serve()

    def begin(self, load: Callable[[], UserAlgorithm]) -> None:
        """Load the user's module, once; see `run`."""
        self._listener.start()
        self._load(load)

    def serve(self) -> None:
        """Serve, after `begin`, until the supervisor says that it is over or the pipes pause."""
        for frame in self._pipes.tasks():
            if frame.kind in _ENDINGS:
                self._end_task(frame)
                if frame.kind == FrameKind.EXIT:
                    return
            elif self._user.is_current(frame.generation):
                if frame.kind == _START:
                    self._start(frame.generation)
                    continue
                is_whole = frame.kind == FrameKind.TASK
                task = self._read_task(frame)
                # A large input takes memory twice until the frame is gone.
                del frame
                if task is None:
                    continue
                generation = task.generation
                self._initialize(task, is_whole)
                del task
                if is_whole:
                    self._start(generation)

    def close(self) -> None:
        """Close the pipes: the supervisor learns that this side has ended."""
        self._pipes.close()
        if self._listener.is_alive():
            self._listener.join()
        self._user.close()

    # ------------------------------------------------------------ the thread that listens --
    def _listen(self) -> None:
        for frame in self._pipes.control():
            try:
                self._hear(frame)
            # Without this thread no stop is heard: no want of memory or threads may end it.
            except Exception as error:
                self._log.error(f"a message was lost: {type(error).__name__}: {error}")
            del frame
        if self._user.running:  # for nobody: nothing can be said any more
            self._gone()

    def _hear(self, frame: Frame) -> None:
        if frame.kind == _ANSWER:
            self._answer(frame)
        elif frame.kind == FrameKind.INTERRUPT:
            # A late one must not end the next task.
            if self._user.running and self._user.is_current(frame.generation):
                self._interruption.request()
        else:
            self._stop(frame)

    def _answer(self, frame: Frame) -> None:
        task = self._task
        if task is None:
            return
        try:
            message = self._settings.encoding.decode(frame.payload)
        except DecodingError as error:
            self._log.warning(f"ignored an answer of the worker: {error}")
            return
        if not isinstance(message, dict):
            return
        answer = shapes.parse_answer(str(message.get("command")), message.get("data"))
        if answer is not None:
            task.api.calls.resolve(answer)

    def _stop(self, frame: Frame) -> None:
        """Tell the user's code to stop; the main thread answers when it has returned."""
        user, task = self._user, self._task
        if task is not None and task.generation < frame.generation:
            task.api.calls.stop()  # not under the lock: it runs user code, done-callbacks
        with user.lock:
            if not user.advance(frame.generation):
                return  # the main thread was waiting, and has dealt with it already
            told = user.stopping or user.stop_thread is not None
            algorithm = user.algorithm
            if user.running and not told and algorithm is not None and algorithm.stop is not None:
                arguments = (algorithm.stop, self._data_of(frame))
                user.stop_thread = Thread(
                    target=self._run_stop, args=arguments, name="hkube-stop", daemon=True
                )
                user.stop_thread.start()

    def _run_stop(self, stop: Callable[[Any], Any], data: Any) -> None:
        outcome = self._user.call_beside(lambda: stop(data))
        self._log_outcome("stop", outcome)
        if outcome.report is not None and self._user.running:
            self._interruption.request()  # it will not end the user's code any more

    def _data_of(self, frame: Frame) -> Any:
        """The data of a `stop` or `exit`: what the user's function is handed; {} if none."""
        if not frame.payload:
            return {}
        try:
            message = self._settings.encoding.decode(frame.payload)
        except DecodingError:
            return {}
        data = message.get("data") if isinstance(message, dict) else None
        return {} if data is None else data

    # --------------------------------------------------------------------- the main thread --
    def _load(self, load: Callable[[], UserAlgorithm]) -> None:
        functions = int(OptionalFunctions.INITIALIZE)
        try:
            with self._interruption.user_code:
                self._user.running = True  # an exit need not wait for the end of an import
                algorithm = load()
        except LoadError as error:
            self._user.load_error = FailureReport(error.code, str(error), error.details)
            if self._settings.log_failures:
                self._log_failure("the algorithm cannot be loaded", self._user.load_error)
        except AlgorithmStopped:
            self._user.load_error = FailureReport("LoadError", "the import was stopped", "")
        else:
            self._user.algorithm = algorithm
            for remark in algorithm.remarks:
                self._log.warning(remark)
            functions = (OptionalFunctions.STOP if algorithm.stop else 0) | (
                OptionalFunctions.INITIALIZE if algorithm.initialize else 0
            )
        finally:
            self._user.running = False
        self._pipes.send(FrameKind.MODULE_LOADED, 0, bytes([functions]))

    def _read_task(self, frame: Frame) -> RunningTask | None:
        """The task that a message of the worker brings; None if it cannot be read."""
        generation = frame.generation
        try:
            message = self._settings.encoding.decode(frame.payload)
            data = message.get("data") if isinstance(message, dict) else None
            if data is None:
                data = {}
            elif not isinstance(data, dict):
                raise DecodingError("its data is not an object")
        except DecodingError as error:
            text = f"the worker's initialize message cannot be read: {error}"
            self._send_error(generation, FailureReport(error.code, text, ""))
            return None
        self._user.advance(generation)
        link = TaskLink(self._pipes, self._settings, generation)
        settings = self._settings
        api = make_task_api(link, data, settings.metrics_dir, self._log.warning, settings.storage)
        return RunningTask(generation, data, api, link)

    def _initialize(self, task: RunningTask, is_whole: bool) -> None:
        self._task = task
        job = task.api.job
        ids = f"{job.job_id or '-'} {job.task_id or '-'} {job.node_name or '-'}"
        self._log.bind_task(ids)
        algorithm = self._user.algorithm
        if algorithm is None:
            assert self._user.load_error is not None
            self._fail(task, self._user.load_error, logged=True)
            return
        if algorithm.initialize is not None:
            initialize = algorithm.initialize
            if not self._fill_input(task):
                return
            outcome = self._user.call(
                lambda: initialize(task.data), task.generation, keep_tasks=True
            )
            if outcome.report is not None:
                self._fail(task, outcome.report)
                return
        if not is_whole:
            self._pipes.send(FrameKind.INITIALIZE_COMPLETED, task.generation)

    def _fill_input(self, task: RunningTask) -> bool:
        """Mode v3: read what the input refers to; False if the task has failed by it."""
        if self._settings.storage is None:
            return True
        report = self._delivery.fill_input(task)
        if report is not None:
            self._fail(task, report)
        return report is None

    def _start(self, generation: int) -> None:
        task, algorithm = self._task, self._user.algorithm
        if task is None or algorithm is None:
            return
        # A user's `initialize` has had the input already.
        if algorithm.initialize is None and not self._fill_input(task):
            return
        outcome = self._user.call(lambda: algorithm.start(task.data, task.api.api), generation)
        if outcome.report is not None:
            self._fail(task, outcome.report)
            return
        if not self._user.is_current(generation):
            return  # stopped meanwhile: nobody waits for the result
        result = [outcome.result]
        del outcome
        payload = self._delivery.deliver(task, result)
        if isinstance(payload, FailureReport):
            self._fail(task, payload)
            return
        self._task = None
        task.api.end(None)
        self._pipes.send(FrameKind.FINAL_MESSAGE, generation, payload)

    def _end_task(self, frame: Frame) -> None:
        """What STOP and EXIT ask for; no user code runs on this thread now."""
        user, is_exit, generation = self._user, frame.kind == FrameKind.EXIT, frame.generation
        with user.lock:
            user.advance(generation)
            thread, user.stop_thread = user.stop_thread, None
        algorithm = user.algorithm
        if thread is not None:
            thread.join(_STOP_PATIENCE if is_exit else None)
        elif algorithm is not None and algorithm.stop is not None and not is_exit:
            stop = algorithm.stop
            user.stopping = True
            self._log_outcome(
                "stop", self._user.call(lambda: stop(self._data_of(frame)), generation)
            )
            user.stopping = False
        task, self._task = self._task, None
        if task is not None:
            task.api.end("stopped")
        if not is_exit:
            self._pipes.send(FrameKind.STOP_COMPLETED, generation)
        elif algorithm is not None and algorithm.exit is not None:
            leave = algorithm.exit
            # An interruption that was meant for the task must not reach it.
            outcome = self._user.call(lambda: leave(self._data_of(frame)), generation, False)
            self._log_outcome("exit", outcome)

    # ----------------------------------------------------------------------- what is told --
    def _fail(self, task: RunningTask, report: FailureReport, logged: bool = False) -> None:
        if not self._user.is_current(task.generation):
            return  # stopped: what the user's code raised on its way out is told to nobody
        self._task = None
        if self._settings.log_failures:
            self._log_failure("the task failed", report._replace(details="") if logged else report)
        task.api.end(report.message)
        self._send_error(task.generation, report)

    def _send_error(self, generation: int, report: FailureReport) -> None:
        message = shapes.error_message(report.code, report.message, report.details)
        try:
            payload = encode(self._settings, message, "error")
        except EncodingError as error:
            message = shapes.error_message(error.code, str(error), "")
            payload = encode(self._settings, message, "error")
        self._pipes.send(FrameKind.FINAL_MESSAGE, generation, payload)

    def _log_outcome(self, name: str, outcome: UserCodeOutcome) -> None:
        if outcome.report is not None:
            self._log_failure(f"the algorithm's {name} failed", outcome.report)

    def _log_failure(self, what: str, report: FailureReport) -> None:
        details = f"\n{report.details}" if report.details else ""
        self._log.error(f"{what}: {report.message}{details}")
