"""Runs a streaming node in the test's process, in a thread, while the test sends messages."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from threading import Event, Thread
from typing import Any

from ...config.settings import Config
from ...errors import LoadError
from ...in_process.gevent_patches import REFUSAL, is_patched_by_gevent
from ...local.run.container import container_environ
from ...local.scratch import ScratchFolder
from ...local.worker import events
from ...local.worker.admission import run_token
from ...local.worker.answers import AnswerTable
from ...local.worker.timeouts import EXIT_TIMEOUT, STOP_TIMEOUT
from ...local.worker.waiting import wait_done, wait_until
from ...local.worker.worker import LocalWorker
from ..outcome.outcome import AlgorithmFailed, Outcome, no_result_within
from ..outcome.recorder import Recorder
from ..request.target import AlgorithmTarget, load_source
from ..request.wrong_use import WrongUse
from .captured_output import captured_output
from .process_state import ProcessState, environment
from .rig import make_rig
from .stream_wiring import StreamWiring
from .thread_interruption import ThreadInterruption

_NOT_KILLED = (
    "the algorithm did not end when it was stopped: HKube would have killed its process; here, "
    "only isolated=True can do that. Its thread still runs"
)


class InThread:
    """One streaming node, which runs from `begin` to `finish`.

    Args:
        target: The algorithm.
        answers: Answers to its calls.
        wiring: What a streaming task needs.

    Attributes:
        encoding: Encoding of the messages to HKube.
        discovery: The settings of its connections to other nodes.
        worker: Gives it its task.

    Raises:
        WrongUse: This process is patched by gevent.
    """

    def __init__(self, target: AlgorithmTarget, answers: AnswerTable, wiring: StreamWiring) -> None:
        if is_patched_by_gevent():
            raise WrongUse(REFUSAL)
        self._recorder = Recorder(self.stop)
        self._is_killed = Event()
        with ExitStack() as stack:
            source = stack.enter_context(target.opened())
            scratch = stack.enter_context(ScratchFolder())
            self.worker = stack.enter_context(
                LocalWorker(
                    wiring.listener(self._recorder),
                    answers,
                    storage=wiring.storage,
                    token=run_token(),
                )
            )
            environ = container_environ(
                source,
                self.worker.port,
                {**environment(), **wiring.environ},
                Path(scratch),
                wiring.storage,
            )
            config = Config.from_environ(environ, source.folder)
            self.encoding, self.discovery = config.encoding, config.discovery
            self._interruption = ThreadInterruption()
            self._rig = make_rig(config, self._interruption, self._is_killed.set)
            stack.callback(self._rig.close)
            self._stack = stack.pop_all()
        self._load = target.load or (lambda: load_source(source))
        entry = "" if target.load else source.entry_point.removesuffix(".py").replace("/", ".")
        self._process_state = ProcessState(source.folder, source.environ, entry)
        self._state = ExitStack()
        self._thread = Thread(target=self._serve, name="hkube-algorithm", daemon=True)

    def begin(self, job: Mapping[str, Any]) -> Future[events.Outcome]:
        """Begin the task; call it from the main thread."""
        self._recorder.begin(None)
        self._state.enter_context(self._process_state.applied())
        self._lines = self._state.enter_context(captured_output())
        self._thread.start()
        return self.worker.begin(job)

    def finish(self, ended: Future[events.Outcome], timeout: float | None) -> Outcome:
        """Wait for the end of the task, and end the algorithm; call it from the main thread.

        Raises:
            AlgorithmFailed: The time ran out, or the algorithm ignored a stop.
        """
        try:
            timed_out = not wait_until(
                lambda seconds: self._is_killed.is_set() or wait_done(ended, seconds), timeout
            )
            if timed_out:
                self.stop()
                wait_until(
                    lambda seconds: self._is_killed.is_set() or wait_done(ended, seconds),
                    STOP_TIMEOUT,
                )
            self._recorder.end()
            self._end_thread(ended)
        finally:
            self._state.close()
        user = self._rig.user
        if user.for_test is not None:
            raise user.for_test
        if self._thread.is_alive() or not ended.done():
            raise AlgorithmFailed(_NOT_KILLED)
        if timed_out:
            raise AlgorithmFailed(no_result_within(timeout, user.stopped_at))
        return self._recorder.outcome(ended.result(), self._lines.all_lines(), user.raised)

    def stop(self, force: bool = True) -> None:
        """Stop the task; safe from any thread."""
        self.worker.stop(force)

    def close(self) -> None:
        """Release everything, after `finish`."""
        with self._stack:
            if self._thread.is_alive():
                self._rig.terminate()
                self._rig.terminate()

    def _end_thread(self, ended: Future[events.Outcome]) -> None:
        if ended.done() and self._recorder.connected:
            self.worker.exit()
        else:
            self._rig.terminate()
        patience = 0.0 if self._is_killed.is_set() else EXIT_TIMEOUT
        wait_until(self._thread_ends_within, patience)

    def _thread_ends_within(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        """Load the algorithm and run its functions until HKube ends it; in the thread."""
        self._interruption.install()
        self._rig.host.run(self._load_and_record)

    def _load_and_record(self) -> Any:
        try:
            return self._load()
        except LoadError as error:
            self._rig.user.raised[str(error)] = error
            raise
