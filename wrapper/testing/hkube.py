"""The class behind the fixture ``hkube``, which plays HKube's part in a test."""

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
from .outcome.outcome import AlgorithmFailed, Outcome
from .outcome.recorder import Message, StopAt
from .request.answers import TestAnswers, make_answer
from .request.job import STREAM_OWN, job_of
from .request.stop_moment import stop_at
from .request.target import AlgorithmTarget, find_target
from .request.wrong_use import WrongUse
from .sessions.abort import LastResort
from .sessions.in_process import InProcess
from .sessions.in_thread import InThread
from .sessions.isolated import Isolated
from .streams.node_flows import NodeFlows
from .streams.node_run import NodeRun
from .streams.stream import Stream

TIMEOUT = 60.0
"""Default limit for a run, in seconds."""


class HKube:
    """Runs algorithms without a cluster and answers their calls.

    Tests get an instance from the fixture ``hkube`` instead of creating one.
    """

    def __init__(self, folders: Sequence[Path], last_resort: LastResort | None = None) -> None:
        """Create the object without loading any algorithm.

        Args:
            folders: Folders to resolve relative paths against, before the working directory.
            last_resort: Ends the process when user code cannot be stopped. The default writes
                its message to stderr.
        """
        self._folders = folders
        self._last_resort = last_resort or LastResort()
        self._streams: list[Stream] = []
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
        """Run one task of an algorithm, as HKube would.

        The first run in a test loads the algorithm; later runs in the same test reuse it.

        Args:
            algorithm: A path to the algorithm's file, folder or ``algorithm.yml``; a module name
                such as ``package.module``; an imported module; or a ``start`` function. A relative
                path is tried in the folder of the test file, in its parent folders up to pytest's
                rootdir, and in the working directory. The first match is used.
            input: The node's inputs, which the algorithm receives as ``args["input"]``.
            isolated: Run in separate processes, as in a container, instead of in the test's
                process.
            timeout: Seconds after which the algorithm is stopped and the test fails. ``None``
                sets no limit.
            **job: Other entries of ``args``, such as ``nodeName``, ``jobId``, ``extraData`` or
                ``batchIndex``. Names in snake_case work too.

        Returns:
            The outcome of the run, even if the algorithm failed.

        Raises:
            WrapperError: The algorithm does not exist, or the input cannot be sent.
            WrongUse: The arguments are invalid.
            AlgorithmFailed: The algorithm did not finish in time.
        """
        __tracebackhide__ = True
        try:
            return self._run(algorithm, input, isolated, timeout, job)
        except (WrapperError, WrongUse, AlgorithmFailed) as error:
            raise error.with_traceback(None) from error.__cause__

    def stream(
        self,
        algorithm: str | Path | ModuleType | Callable[..., Any],
        input: Sequence[Any] = (),
        *,
        flows: str | Mapping[str, str],
        default_flow: str | None = None,
        stateless: bool | None = None,
        isolated: bool = False,
        timeout: float | None = TIMEOUT,
        buffer_mb: int | None = None,
        **job: Any,
    ) -> Stream:
        """Start an algorithm as a node of a streaming pipeline; the test plays the other nodes.

        Args:
            algorithm: See ``run``.
            input: See ``run``.
            flows: The only flow, such as ``"source >> main >> sink"``, or flows by name. Pass
                ``nodeName`` if the node is not called like the algorithm.
            default_flow: The name of the default flow; otherwise the first one.
            stateless: Whether ``start`` is called for each message. By default it is, unless
                no node sends to this one.
            isolated: Run in separate processes. Otherwise the algorithm runs in a thread of the
                test's process.
            timeout: Seconds that the methods of the stream wait at most. ``None`` sets no limit.
            buffer_mb: The size of the node's queue in MB, as ``STREAMING_MAX_BUFFER_MB``.
            **job: See ``run``.

        Returns:
            The running node. It is stopped when the test ends.

        Raises:
            WrapperError: The algorithm does not exist, or the input cannot be sent.
            WrongUse: The arguments are invalid.
        """
        __tracebackhide__ = True
        target = self._target(algorithm, isolated)
        parts = {"nodeName": target.name, **job}
        data = job_of(input, target.name, parts, STREAM_OWN, "stream")
        node_flows = NodeFlows(flows, str(data["nodeName"]), default_flow)
        data |= node_flows.job_entries(stateless)
        self._check_is_free(isolated)
        kind = Isolated if isolated else InThread
        run = NodeRun(
            node_flows, lambda wiring: kind(target, self._answers, wiring), timeout, buffer_mb
        )
        stream = Stream(run, node_flows, isolated, self._streams.remove)
        self._streams.append(stream)
        run.begin(data)
        return stream

    def answer_algorithm(self, name: str, answer: Any) -> None:
        """Set the answer to ``hkubeApi.start_algorithm(name, …)``.

        Args:
            name: Name of the algorithm that is called.
            answer: The result; an exception, which makes the call fail; or a function that
                receives the input of the call and returns the result or raises.

        Raises:
            WrongUse: ``name`` is not a string.
        """
        self._answer(self._answers.algorithms, name, answer)

    def answer_pipeline(self, name: str, answer: Any) -> None:
        """Set the answer to ``start_stored_subpipeline`` and ``start_raw_subpipeline``.

        Args:
            name: Name of the pipeline that is started.
            answer: The same kinds of answer as in ``answer_algorithm``; a function receives the
                flow input. HKube's results have the form
                ``[{"nodeName": …, "algorithmName": …, "result": …}]``.

        Raises:
            WrongUse: ``name`` is not a string.
        """
        self._answer(self._answers.pipelines, name, answer)

    def answer_data_source(self, name: str, answer: Any) -> None:
        """Set the answer to ``hkubeApi.get_data_source``.

        Args:
            name: Name or id of the data source.
            answer: The same kinds of answer as in ``answer_algorithm``; a function receives the
                request.

        Raises:
            WrongUse: ``name`` is not a string.
        """
        self._answer(self._answers.data_sources, name, answer)

    def stop(
        self, after: float | str | Callable[[Message], Any] | None = None, force: bool = True
    ) -> None:
        """Stop the next run as HKube would, or the current run immediately.

        The current run is stopped if there is one and ``after`` is not given.

        Args:
            after: When to stop the next run: a number of seconds after its start; the name of a
                message that the wrapper sends, such as ``"progress"``; or a function that receives
                each message and returns true for the one to stop after. By default, the run is
                stopped as soon as it has started.
            force: ``True`` for a stop by a user, ``False`` for a scale-down.

        Raises:
            WrongUse: ``after`` is invalid.
        """
        __tracebackhide__ = True
        if after is None and self._running is not None:
            self._running.stop(force)
        else:
            self._stop_at = stop_at(after, force, self._test_errors.append)

    def close(self) -> None:
        """End all algorithms. The fixture calls this at the end of a test."""
        try:
            with ExitStack() as stack:
                for session in self._sessions.values():
                    stack.callback(session.close)
                for stream in self._streams:
                    stack.callback(stream.close)
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
            raise WrongUse("a run is in progress: call hkube.run again after it ends")
        self._check_is_free(isolated)
        target = self._target(algorithm, isolated)
        job = job_of(task_input, target.name, parts)
        session = self._session(target, isolated)
        get_encoding(session.encoding).encode(
            {"command": commands.INITIALIZE, "data": {"input": job["input"]}}, "input"
        )
        moment, self._stop_at = self._stop_at, None
        self._test_errors.clear()
        self._running = session
        try:
            outcome = session.run(job, timeout, moment)
        finally:
            self._running = None
        if self._test_errors:
            raise self._test_errors[0]
        return outcome

    def _check_is_free(self, isolated: bool) -> None:
        if not isolated and any(not each.is_isolated for each in self._streams):
            raise WrongUse("a stream runs in this process: stop it first, or use isolated=True")

    def _target(self, algorithm: Any, isolated: bool) -> AlgorithmTarget:
        target = find_target(algorithm, [*self._folders, Path.cwd()])
        if isolated and target.in_process_only:
            raise WrongUse(target.in_process_only)
        if not isolated and not _on_main_thread():
            raise WrongUse(
                "without isolated=True, the fixture hkube works in the main thread only, because "
                "HKube runs algorithms there"
            )
        return target

    def _session(self, target: AlgorithmTarget, isolated: bool) -> InProcess | Isolated:
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
            raise WrongUse(
                f"the first argument must be the name that the algorithm calls, not {name!r}"
            )
        section[name] = make_answer(answer, self._encoding, self._test_errors.append)

    def _encoding(self) -> str:
        return self._running.encoding if self._running is not None else "json"


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
