"""Keeps an algorithm loaded, runs it when the page asks, and loads it again after a save."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, final

from ...errors import WrapperError
from ...text.exit_codes import process_ended
from ..run.container import AlgorithmContainer
from ..run.ordered_output import OrderedOutput
from ..run.output_pump import OutputPump
from ..source.source import AlgorithmSource, open_algorithm
from ..worker import events
from ..worker.admission import run_token
from ..worker.job import make_job
from ..worker.storage import LocalStorage
from ..worker.timeouts import STOP_TIMEOUT
from ..worker.waiting import wait_until
from ..worker.worker import LocalWorker
from .algorithm_state import AlgorithmState, LoadState
from .runs.run_book import RunBook
from .runs.run_record import RunRecord
from .runs.usage import UsageMeter
from .runs.wrapper_lines import ENVIRON, wrapper_line
from .server.messages import CommandError

if TYPE_CHECKING:
    from ..run.watch import Watch
    from ..worker.answers import Answers

SAVED = "a file was saved"
_TICK = 0.5  # seconds after which deadlines are looked at


@dataclass(frozen=True)
class _Started:
    record: RunRecord


@dataclass(frozen=True)
class _StopAsked:
    pass


@dataclass(frozen=True)
class _Ended:
    record: RunRecord
    outcome: events.Outcome


@dataclass(frozen=True)
class _Exited:
    pid: int
    code: int


@dataclass(frozen=True)
class _Saved:
    pass


_Note = _Started | _StopAsked | _Ended | _Exited | _Saved


@dataclass
class _Running:
    """What serves the algorithm until its code changes or its process ends.

    Attributes:
        source: the algorithm.
        worker: gives it its tasks.
        container: its processes.
        had_task: whether it was given a task.
        stop_until: when the stop that it was asked for is over, on the clock; None: it was not.
    """

    source: AlgorithmSource
    worker: LocalWorker
    container: AlgorithmContainer
    had_task: bool = False
    stop_until: float | None = None


@final
class DevSession:
    """Serves one algorithm. `serve` runs in the main thread; pages call the other methods."""

    def __init__(
        self,
        path: str,
        environ: Mapping[str, str],
        state: AlgorithmState,
        runs: RunBook,
        watch: Watch,
        answers: Callable[[AlgorithmSource], AbstractContextManager[Answers]],
        storage: LocalStorage | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare a session.

        Args:
            path: the algorithm's path.
            environ: the environment to start from.
            state: what pages show of the algorithm.
            runs: keeps its runs.
            watch: notices saves.
            answers: opens what replies to the calls of one process of the algorithm.
            storage: the storage of mode v3; None for mode v1.
            clock: seconds.
        """
        self._path = path
        self._environ = {**environ, **ENVIRON}
        self._state = state
        self._runs = runs
        self._watch = watch
        self._answers = answers
        self._storage = storage
        self._clock = clock
        self._notes: SimpleQueue[_Note] = SimpleQueue()
        self._waiting: RunRecord | None = None  # a run for the next process
        self._again: str | None = None  # the input of a run that the next process begins
        self._lock = threading.Lock()

    def run(self, input_text: str) -> int:
        """Begin a run; return its id.

        Raises:
            CommandError: the input is invalid, or a run is in progress.
        """
        items = parse_input(input_text)
        with self._lock:
            if self._runs.is_running:
                raise CommandError("a run is in progress: stop it, or wait for its end")
            job = make_job(items, self._state.name)
            record = self._runs.begin(job, input_text, self._clock())
        self._notes.put(_Started(record))
        return record.number

    def stop(self) -> None:
        """Stop the run in progress, as HKube would.

        Raises:
            CommandError: there is none.
        """
        if not self._runs.is_running:
            raise CommandError("no run is in progress")
        self._notes.put(_StopAsked())

    def serve(self) -> None:
        """Serve until Ctrl-C, which raises KeyboardInterrupt here.

        Raises:
            WatchError: saves cannot be noticed.
        """
        self._listen_for_saves()
        try:
            while True:
                try:
                    with open_algorithm(self._path) as source:
                        self._serve_source(source)
                except WrapperError as error:  # for example, a description that is half written
                    self._state.cannot_load(str(error), "")
                    self._fail_waiting(error)
                    self._await_save()
        finally:
            self._runs.abandon(self._clock())

    def _serve_source(self, source: AlgorithmSource) -> None:
        """Serve until the code changes or the process has ended and another is wanted."""
        self._state.starting(source)
        with ExitStack() as stack:
            pump = stack.enter_context(OutputPump(self._take_lines))
            listener = OrderedOutput(pump, self._take_event)
            answers, storage = stack.enter_context(self._answers(source)), self._storage
            worker = stack.enter_context(
                LocalWorker(listener, answers, storage=storage, token=run_token())
            )
            container = stack.enter_context(
                AlgorithmContainer(source, worker.port, self._environ, pump.fd, storage)
            )
            stack.enter_context(UsageMeter(container.pid, self._take_usage))
            self._serve_running(_Running(source, worker, container))

    def _serve_running(self, running: _Running) -> None:
        def exited(code: int) -> None:
            record = self._runs.current
            if record is not None:
                record.exited(code)
            running.worker.give_up(process_ended(code))
            self._notes.put(_Exited(running.container.pid, code))

        running.container.on_exit(exited)
        if self._waiting is not None:
            record, self._waiting = self._waiting, None
            self._begin(running, record)
        elif self._again is not None and not self._runs.is_running:
            text, self._again = self._again, None
            self.run(text)
        while self._handle(running, self._next_note()):
            self._check_stop(running)

    def _handle(self, running: _Running, note: _Note | None) -> bool:
        """Do what a note asks for; False once the process is to be replaced."""
        match note:
            case _Started(record):
                if self._state.load is LoadState.ENDED:
                    self._waiting = record
                    return False
                self._begin(running, record)
            case _StopAsked():
                self._stop(running)
            case _Ended(record, outcome) if record is self._runs.current:
                running.stop_until = None
                self._runs.end(record, outcome, self._clock())
                return not self._state.is_changed
            case _Exited(pid, code) if pid == running.container.pid:
                self._state.ended(process_ended(code))
                # One that ends before it has a task would end again and again.
                return not running.had_task
            case _Saved():
                return self._saved(running)
        return True

    def _begin(self, running: _Running, record: RunRecord) -> None:
        running.had_task = True
        outcome = running.worker.begin(record.job)

        def ended(future: Future[events.Outcome]) -> None:
            self._notes.put(_Ended(record, future.result()))

        outcome.add_done_callback(ended)

    def _stop(self, running: _Running) -> None:
        record = self._runs.current
        if record is None or running.stop_until is not None:
            return
        record.stopping()
        self._runs.changed()
        running.stop_until = self._clock() + STOP_TIMEOUT
        running.worker.stop()

    def _check_stop(self, running: _Running) -> None:
        if running.stop_until is not None and self._clock() > running.stop_until:
            running.stop_until = None
            running.worker.give_up(
                f"not stopped in {STOP_TIMEOUT:g} s: HKube ends the container here"
            )
            running.container.end()

    def _saved(self, running: _Running) -> bool:
        self._state.changed(self._watch.wait())
        self._listen_for_saves()
        record = self._runs.current
        if record is None:
            if self._state.run_on_save:
                self._again = self._runs.last_input
            return False
        if not self._state.run_on_save:
            return True  # the run in progress goes on; the code is loaded after it
        running.worker.give_up(SAVED)
        self._runs.end(record, events.Lost(SAVED), self._clock())
        self._again = record.input_text
        return False

    def _listen_for_saves(self) -> None:
        self._watch.on_save(lambda: self._notes.put(_Saved()))

    def _await_save(self) -> None:
        """Wait for a save; a run that is asked for meanwhile fails."""
        while True:
            match self._next_note():
                case _Started(record):
                    reason = events.Failed("LoadError", self._state.problem, "")
                    self._runs.end(record, reason, self._clock())
                case _Saved():
                    self._state.changed(self._watch.wait())
                    self._listen_for_saves()
                    return

    def _fail_waiting(self, error: WrapperError) -> None:
        record = self._waiting or self._runs.current
        self._waiting = self._again = None
        if record is not None:
            self._runs.end(record, events.Failed(error.code, str(error), ""), self._clock())

    def _next_note(self) -> _Note | None:
        found: list[_Note] = []

        def wait_once(seconds: float) -> bool:
            try:
                found.append(self._notes.get(timeout=max(0.001, seconds)))
            except Empty:
                return False
            return True

        return found[0] if wait_until(wait_once, _TICK) else None

    def _take_lines(self, lines: list[str]) -> None:
        shown: list[tuple[str, str]] = []
        for line in lines:
            own = wrapper_line(line)
            if own is None:
                shown.append(("out", line))
            elif own.load_failure is not None:
                self._state.cannot_load(*own.load_failure)
            elif own.is_loaded:
                self._state.loaded()
            elif own.level in ("warning", "error") and not own.is_task_failure:
                shown += [(own.level, text) for text in own.text.split("\n")]
        if shown:
            self._runs.add_lines(shown, self._clock())

    def _take_event(self, event: events.WorkerEvent) -> None:
        self._runs.take_event(event)

    def _take_usage(self, cores: float, memory: int) -> None:
        self._runs.add_usage(cores, memory, self._clock())


def parse_input(text: str) -> list[Any]:
    """Read the input of the page's editor.

    Raises:
        CommandError: it is not a JSON array; the message names the place.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise CommandError("the input is nested too deeply") from None
    except ValueError as error:
        raise CommandError(f"the input is not valid JSON: {error}") from None
    if not isinstance(value, list):
        raise CommandError(
            "the input must be a JSON array with an item for each input of the node: "
            "the algorithm reads it from args['input']"
        )
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
