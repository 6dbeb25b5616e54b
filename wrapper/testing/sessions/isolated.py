"""Runs an algorithm in separate processes, as its container would."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from typing import IO, Any

from ...config.settings import Config
from ...local.run.container import AlgorithmContainer, container_environ
from ...local.worker import events
from ...local.worker.admission import run_token
from ...local.worker.answers import AnswerTable
from ...local.worker.timeouts import CRASH_TIMEOUT, EXIT_TIMEOUT, STOP_TIMEOUT
from ...local.worker.worker import LocalWorker
from ..outcome.outcome import AlgorithmFailed, Outcome, no_result_within
from ..outcome.recorder import Recorder, StopAt
from ..request.target import AlgorithmTarget
from .process_state import environment
from .stream_wiring import StreamWiring


class Isolated:
    """One algorithm in separate processes, run any number of times.

    Args:
        target: The algorithm.
        answers: Answers to its calls.
        wiring: What a streaming task needs; None for batch tasks.

    Attributes:
        usable: Whether it can run again.
        encoding: Encoding of the messages.
        discovery: The settings of its connections to other nodes.
        worker: Gives it its tasks.
    """

    def __init__(
        self, target: AlgorithmTarget, answers: AnswerTable, wiring: StreamWiring | None = None
    ) -> None:
        """Start the processes."""
        self.usable = True
        self._recorder = Recorder(self.stop)
        storage = wiring.storage if wiring is not None else None
        own_environ = wiring.environ if wiring is not None else {}
        with ExitStack() as stack:
            source = stack.enter_context(target.opened())
            self.worker = stack.enter_context(
                LocalWorker(
                    wiring.listener(self._recorder) if wiring is not None else self._recorder,
                    answers,
                    storage=storage,
                    token=run_token(),
                )
            )
            self._output = _Output(stack.enter_context(tempfile.TemporaryFile()))
            environ = {**environment(), "HKUBE_LOG_FORMAT": "json", **own_environ}
            port, fd = self.worker.port, self._output.fd
            scratch = source.folder
            config = Config.from_environ(
                container_environ(source, port, environ, scratch, storage), source.folder
            )
            self.encoding, self.discovery = config.encoding, config.discovery
            self._container = stack.enter_context(
                AlgorithmContainer(source, port, environ, fd, storage)
            )
            self._stack = stack.pop_all()
        self._container.on_exit(self._gone)

    def run(self, job: Mapping[str, Any], timeout: float | None, stop_at: StopAt | None) -> Outcome:
        """Run the algorithm once; see `InProcess.run`."""
        return self.finish(self.begin(job, stop_at), timeout)

    def begin(
        self, job: Mapping[str, Any], stop_at: StopAt | None = None
    ) -> Future[events.Outcome]:
        """Begin a task; see `run`."""
        self._recorder.begin(stop_at)
        return self.worker.begin(job)

    def finish(self, ended: Future[events.Outcome], timeout: float | None) -> Outcome:
        """Wait for the end of a task; see `run`."""
        if not self.worker.wait_idle(timeout):
            self.worker.stop()
            self.usable = self.worker.wait_idle(STOP_TIMEOUT)
            self._recorder.end()
            _, records = self._read_output()
            raise AlgorithmFailed(no_result_within(timeout, _place_in(records)))
        self._recorder.end()
        result = ended.result()
        if isinstance(result, events.Lost):
            self.usable = False
            self._container.wait(CRASH_TIMEOUT)
        lines, records = self._read_output()
        if isinstance(result, events.Lost):
            code = self._container.wait(0)
            result = events.Lost("\n".join([_ending(code, result.reason), *records]))
        return self._recorder.outcome(result, lines, {})

    def stop(self, force: bool = True) -> None:
        """Stop the current run; safe from any thread."""
        self.worker.stop(force)

    def close(self) -> None:
        """End the processes as HKube does."""
        with self._stack:
            if self.usable:
                self.worker.exit()
                self._container.wait(EXIT_TIMEOUT)
            self._container.end()
            self._read_output()

    def _gone(self, code: int) -> None:
        self.usable = False
        self.worker.give_up(f"the process ended with exit code {code}")

    def _read_output(self) -> tuple[list[str], list[str]]:
        """Return the new output: lines of the algorithm, and log messages of the wrapper."""
        lines: list[str] = []
        records: list[str] = []
        for line in self._output.new_lines():
            own, record = _split(line)
            if own or record is None:
                lines.append(own)
                print(own, file=sys.stderr)
            if record is not None:
                records.append(record)
                print(record, file=sys.stderr)
        return lines, records


def _place_in(records: list[str]) -> str | None:
    """Return where the algorithm was when it was asked to stop, as the wrapper's log says."""
    start = "asked to stop at "
    return next((text.removeprefix(start) for text in records if text.startswith(start)), None)


class _Output:
    """The output of the processes, in a file.

    A pipe would need a reader; a file holds all lines by the time the task is reported as done.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.fd = file.fileno()
        self._read_to = 0

    def new_lines(self) -> list[str]:
        """Return the lines since the last call, without moving the file position they write at."""
        size = os.fstat(self.fd).st_size - self._read_to
        data = os.pread(self.fd, size, self._read_to)
        self._read_to += len(data)
        return data.decode(errors="replace").splitlines()


def _split(line: str) -> tuple[str, str | None]:
    """Split a line into the algorithm's text and a log message of the wrapper, if any."""
    own, mark, rest = line.rpartition('{"time": "')
    try:
        return own, str(json.loads(mark + rest)["message"])
    except (ValueError, KeyError, TypeError):
        return line, None


def _ending(code: int | None, reason: str) -> str:
    if code is None:
        return reason
    if code <= 128:
        return f"the algorithm's process ended with exit code {code}"
    try:
        name = signal.Signals(code - 128).name
    except ValueError:
        return f"the algorithm's process ended with exit code {code}"
    return f"the algorithm's process was ended by {name} (exit code {code})"
