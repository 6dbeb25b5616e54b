"""Runs an algorithm in the test's process: fast, with breakpoints, coverage and monkeypatch."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...algorithm.loading.loader import UserAlgorithm
from ...config.settings import Config
from ...errors import AlgorithmStopped, LoadError
from ...in_process.gevent_patches import (
    REFUSAL,
    gevent_patches_refused,
    is_patched_by_gevent,
)
from ...local.run.container import container_environ
from ...local.scratch import ScratchFolder
from ...local.worker.admission import run_token
from ...local.worker.answers import AnswerTable
from ...local.worker.timeouts import EXIT_TIMEOUT
from ...local.worker.worker import LocalWorker
from ..outcome.outcome import AlgorithmFailed, Outcome, no_result_within
from ..outcome.recorder import Recorder, StopAt
from ..request.target import AlgorithmTarget, load_source
from ..request.wrong_use import WrongUse
from .abort import LastResort
from .captured_output import captured_output
from .forced_interruption import ForcedInterruption
from .process_state import ProcessState, environment
from .rig import Rig, make_rig
from .running_loop import running_loop_hidden
from .watchdog import Watchdog

_NOT_KILLED = (
    "the algorithm did not end when it was stopped: HKube would have killed its process; "
    "here, only isolated=True can do that"
)


class InProcess:
    """One algorithm, loaded once and run any number of times.

    Attributes:
        usable: Whether it can run again.
        encoding: Encoding of the messages.
    """

    def __init__(
        self, target: AlgorithmTarget, answers: AnswerTable, last_resort: LastResort
    ) -> None:
        """Connect the algorithm to a local worker; call it from the main thread.

        Args:
            target: The algorithm.
            answers: Answers to its calls.
            last_resort: Ends the process if the algorithm cannot be stopped.

        Raises:
            WrongUse: This process is patched by gevent.
        """
        if is_patched_by_gevent():
            raise WrongUse(REFUSAL)
        self.usable = True
        self._recorder = Recorder(self.stop)
        self._last_resort = last_resort
        with ExitStack() as stack:
            source = stack.enter_context(target.opened())
            scratch = stack.enter_context(ScratchFolder())
            self._worker = stack.enter_context(
                LocalWorker(self._recorder, answers, token=run_token())
            )
            environ = container_environ(source, self._worker.port, environment(), Path(scratch))
            config = Config.from_environ(environ, source.folder)
            self.encoding = config.encoding
            self._interruption = ForcedInterruption()
            self._rig: Rig = make_rig(config, self._interruption, self._killed)
            stack.callback(self._rig.close)
            self._stack = stack.pop_all()
        given = target.load
        entry = "" if given else source.entry_point.removesuffix(".py").replace("/", ".")
        self._process_state = ProcessState(source.folder, source.environ, entry)
        self._load: Callable[[], UserAlgorithm] | None = given or (lambda: load_source(source))

    def run(self, job: Mapping[str, Any], timeout: float | None, stop_at: StopAt | None) -> Outcome:
        """Run the algorithm once.

        Args:
            job: The data of the `initialize` message.
            timeout: Seconds after which the run is stopped and has failed; None for no limit.
            stop_at: When to stop it as HKube would; None to let it finish.

        Raises:
            AlgorithmFailed: The time ran out, or the algorithm ignored a stop.
        """
        rig, worker = self._rig, self._worker
        self._recorder.begin(stop_at)
        rig.user.forget()
        with (
            _interrupts() as interrupted,
            self._process_state.applied(),
            captured_output() as lines,
        ):
            ended = worker.begin(job)
            ended.add_done_callback(lambda _: rig.pause())
            dog = Watchdog(ended, timeout, worker.stop, self._interruption, self._last_resort)
            self._serve(dog)
            self._recorder.end()
        if interrupted:
            raise KeyboardInterrupt
        if rig.user.for_test is not None:
            raise rig.user.for_test
        if dog.stuck or not ended.done():
            self.usable = False
            raise AlgorithmFailed(_NOT_KILLED) from self._stopped()
        outcome = self._recorder.outcome(ended.result(), lines.all_lines(), rig.user.raised)
        if dog.timed_out:
            raise AlgorithmFailed(
                no_result_within(timeout, rig.user.stopped_at)
            ) from self._stopped()
        return outcome

    def close(self) -> None:
        """Call the algorithm's `exit`, as HKube does at the end, and release everything."""
        with self._stack:
            if not self.usable:
                self._rig.terminate()
                self._rig.terminate()
                return
            ended: Future[None] = Future()
            ended.set_running_or_notify_cancel()
            with _interrupts() as interrupted, self._process_state.applied():
                self._exit()
                stop = self._rig.terminate
                dog = Watchdog(ended, EXIT_TIMEOUT, stop, self._interruption, self._last_resort)
                self._serve(dog)
            if interrupted:
                raise KeyboardInterrupt

    def _serve(self, dog: Watchdog) -> None:
        """Load the algorithm if it is new, and run its functions until the task ends."""
        try:
            with dog, gevent_patches_refused(), running_loop_hidden():
                self._interruption.install()  # another algorithm's may be installed
                load, self._load = self._load, None
                if load is not None:
                    self._rig.host.begin(lambda: self._load_and_record(load))
                self._rig.host.serve()
        except AlgorithmStopped:  # a forced interruption just arrived
            dog.end()
        except BaseException:
            self.usable = False
            raise

    def _load_and_record(self, load: Callable[[], UserAlgorithm]) -> UserAlgorithm:
        try:
            return load()
        except LoadError as error:
            self._rig.user.raised[str(error)] = error
            raise

    def stop(self, force: bool = True) -> None:
        """Stop the current run; safe from any thread."""
        self._worker.stop(force)

    def _exit(self) -> None:
        if self._recorder.connected:
            self._worker.exit()
        else:
            self._rig.terminate()

    def _killed(self) -> None:
        self.usable = False

    def _stopped(self) -> BaseException | None:
        """Return the exception that ended the algorithm's code; its traceback says where."""
        raised = self._rig.user.raised.values()
        return next((error for error in raised if isinstance(error, AlgorithmStopped)), None)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Record each Ctrl-C, because user code may swallow the exception."""
    seen: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: Any) -> None:
        seen.append(number)
        if callable(before):
            before(number, frame)

    if callable(before):
        signal.signal(signal.SIGINT, note)
    try:
        yield seen
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)
