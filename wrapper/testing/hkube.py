"""The fixture `hkube`: what a test does in HKube's place."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import WrapperError
from ..ipc.frames import INTERRUPT_SIGNAL
from ..local.worker.answers import Answer
from ..protocol.encoding.encoding import get_encoding
from ..protocol.messages import commands
from ..text.suggestions import did_you_mean, near_miss
from .outcome.outcome import AlgorithmFailed, Outcome
from .outcome.recorder import Message, StopAt
from .request.answers import TestAnswers, make_answer
from .request.job import job_of
from .request.target import AlgorithmTarget, find_target
from .request.wrong_use import WrongUse
from .sessions.abort import LastResort
from .sessions.in_process import InProcess
from .sessions.isolated import Isolated

TIMEOUT = 60.0
"""Seconds that a run may take, if the test does not say."""

_ALGORITHM_MESSAGES = (
    *(commands.INITIALIZED, commands.STARTED, commands.PROGRESS),
    *(commands.START_SPAN, commands.FINISH_SPAN, commands.START_ALGORITHM_EXECUTION),
    *(commands.START_RAW_SUB_PIPELINE, commands.START_STORED_SUB_PIPELINE),
    *(commands.STOP_SUB_PIPELINE, commands.STOP_ALGORITHM_EXECUTION),
    commands.DATA_SOURCE_REQUEST,
)
"""What an algorithm's side says while a task goes on."""


class HKube:
    """Runs algorithms with no cluster, and answers their calls."""

    def __init__(self, folders: Sequence[Path], last_resort: LastResort | None = None) -> None:
        """Prepare it; a test gets it from the fixture `hkube`.

        Args:
            folders: that a relative path may start from, before the working directory.
            last_resort: ends the process if it must be; None: one that writes to stderr.
        """
        self._folders = folders
        self._last_resort = last_resort or LastResort()
        self._sessions: dict[object, InProcess | Isolated] = {}
        self._running: InProcess | Isolated | None = None
        self._stop_at: StopAt | None = None
        self._answers = TestAnswers()
        self._test_errors: list[BaseException] = []
        self._handler = signal.getsignal(INTERRUPT_SIGNAL)

    def run(
        self,
        algorithm: str | Path | ModuleType | Callable[..., Any],
        input: Sequence[Any] = (),
        *,
        isolated: bool = False,
        timeout: float | None = TIMEOUT,
        **job: Any,
    ) -> Outcome:
        """Run an algorithm once, as HKube would give it one task.

        An algorithm is loaded at its first run in a test, and serves the next ones too.

        Args:
            algorithm: the path of its file, its folder or its algorithm.yml, or `package.module`;
                an imported module; or a function `start`. A relative path may start from the
                folder of the test's file, from those above it up to pytest's rootdir, or from the
                working directory: the first where there is such a path.
            input: the node's inputs, which the algorithm finds in `args["input"]`.
            isolated: in processes of its own, as in a container, and not in the test's.
            timeout: seconds until it is stopped and the test fails; None: it may run for ever.
            job: other parts of `args`: nodeName, jobId, extraData, batchIndex, …; snake_case too.

        Returns:
            What came of it, also if the algorithm failed.

        Raises:
            WrapperError: there is no such algorithm, or the input cannot be sent.
            WrongUse: what is asked for cannot be done.
            AlgorithmFailed: it had no end in time.
        """
        __tracebackhide__ = True
        try:
            return self._run(algorithm, input, isolated, timeout, job)
        except (WrapperError, WrongUse, AlgorithmFailed) as error:
            raise error.with_traceback(None) from error.__cause__

    def answer_algorithm(self, name: str, answer: Any) -> None:
        """Answer `hkubeApi.start_algorithm(name, …)` from now on.

        Args:
            name: the algorithm's.
            answer: the result; an exception, which the call fails with; or a function that takes
                the input that the algorithm is called with, and returns the result or raises.
        """
        self._answer(self._answers.algorithms, name, answer)

    def answer_pipeline(self, name: str, answer: Any) -> None:
        """Answer `start_stored_subpipeline` and `start_raw_subpipeline` with this name.

        Args:
            name: the pipeline's.
            answer: as for `answer_algorithm`; a function takes the flow input. HKube's results
                have the form `[{"nodeName": …, "algorithmName": …, "result": …}]`.
        """
        self._answer(self._answers.pipelines, name, answer)

    def answer_data_source(self, name: str, answer: Any) -> None:
        """Answer `hkubeApi.get_data_source` for the data source of this name or id.

        Args:
            name: its name or id.
            answer: as for `answer_algorithm`; a function takes what was asked for.
        """
        self._answer(self._answers.data_sources, name, answer)

    def stop(
        self, after: float | str | Callable[[Message], Any] | None = None, force: bool = True
    ) -> None:
        """Stop the next run as HKube would; or at once the run that is going on.

        Args:
            after: seconds from its start; the name of a message of the algorithm's side, such as
                "progress"; or a function that takes each message and is true for the one to stop
                after. None: as soon as it has started.
            force: True as for a user's stop, False as for a scale-down.

        Raises:
            WrongUse: `after` is none of these.
        """
        __tracebackhide__ = True
        if after is None and self._running is not None:
            self._running.stop(force)
        elif callable(after):
            self._stop_at = StopAt(self._reporting_errors(after), force=force)
        elif isinstance(after, (int, float)) and not isinstance(after, bool) and after >= 0:
            self._stop_at = StopAt(_is_command(commands.STARTED), float(after), force)
        elif after is None or after in _ALGORITHM_MESSAGES:
            self._stop_at = StopAt(_is_command(after or commands.STARTED), force=force)
        else:
            raise WrongUse(_no_moment(after))

    def close(self) -> None:
        """End all algorithms; the fixture does it at the end of a test."""
        try:
            with ExitStack() as stack:
                for session in self._sessions.values():
                    stack.callback(session.close)
                self._sessions = {}
        finally:
            if _on_main_thread() and self._handler is not None:
                signal.signal(INTERRUPT_SIGNAL, self._handler)

    def _run(
        self,
        algorithm: Any,
        task_input: Sequence[Any],
        isolated: bool,
        timeout: float | None,
        parts: Mapping[str, Any],
    ) -> Outcome:
        if self._running is not None:
            raise WrongUse("a run is going on: hkube.run can be called again when it has ended")
        target = find_target(algorithm, [*self._folders, Path.cwd()])
        job = job_of(task_input, target.name, parts)
        session = self._session(target, isolated)
        get_encoding(session.encoding).encode(
            {"command": commands.INITIALIZE, "data": {"input": job["input"]}}, "input"
        )
        stop_at, self._stop_at = self._stop_at, None
        self._test_errors.clear()
        self._running = session
        try:
            outcome = session.run(job, timeout, stop_at)
        finally:
            self._running = None
        if self._test_errors:
            raise self._test_errors[0]
        return outcome

    def _session(self, target: AlgorithmTarget, isolated: bool) -> InProcess | Isolated:
        if isolated and target.in_process_only:
            raise WrongUse(target.in_process_only)
        if not isolated and not _on_main_thread():
            raise WrongUse(
                "hkube.run needs the main thread, because that is where HKube runs an algorithm; "
                "isolated=True does without"
            )
        key = (target.key, isolated)
        found = self._sessions.get(key)
        if found is not None and not found.usable:
            del self._sessions[key]
            found.close()
            found = None
        if found is None:
            found = (
                Isolated(target, self._answers)
                if isolated
                else InProcess(target, self._answers, self._last_resort)
            )
            self._sessions[key] = found
        return found

    def _answer(self, section: dict[str, Answer], name: str, answer: Any) -> None:
        if not isinstance(name, str):
            raise WrongUse(f"the first argument is the name that is called, not {name!r}")
        section[name] = make_answer(answer, self._encoding, self._test_errors.append)

    def _encoding(self) -> str:
        return self._running.encoding if self._running is not None else "json"

    def _reporting_errors(self, moment: Callable[[Message], Any]) -> Callable[[Message], Any]:
        """The same function; what it raises is for the test, and stops the run."""

        def is_it(message: Message) -> Any:
            try:
                return moment(message)
            except BaseException as error:
                self._test_errors.append(error)
                return True

        return is_it


def _is_command(command: str) -> Callable[[Message], bool]:
    return lambda message: message.get("command") == command


def _no_moment(after: Any) -> str:
    if isinstance(after, str):
        hint = (
            did_you_mean(near_miss(after, _ALGORITHM_MESSAGES))
            or f": there are {', '.join(_ALGORITHM_MESSAGES)}"
        )
        return f"hkube.stop(after={after!r}): no message of the algorithm's side is called so{hint}"
    return (
        "hkube.stop(after=…) takes seconds, the name of a message such as 'progress', or a "
        f"function of a message, not {after!r}"
    )


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
