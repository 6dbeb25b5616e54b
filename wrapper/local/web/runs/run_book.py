"""The runs of a session: the one in progress, the last result in memory, the others on disk."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, final

from ...worker import events
from ..server.messages import CommandError
from ..server.topics import Topics
from .history import History, kept_json, restored
from .run_record import LogLine, RunRecord


@final
class RunBook:
    """Keeps runs, and shows them to pages. Thread-safe.

    Args:
        history: where runs are kept.
        topics: what pages follow.
    """

    def __init__(self, history: History, topics: Topics) -> None:
        self._history = history
        self._topics = topics
        self._newest: RunRecord | None = None
        self._restored: tuple[int, Any] | None = None
        self._now = 0.0
        self._version = 0
        self._lock = threading.Lock()

    @property
    def current(self) -> RunRecord | None:
        """The run in progress; None if there is none."""
        newest = self._newest
        return newest if newest is not None and newest.outcome is None else None

    @property
    def is_running(self) -> bool:
        """Whether a run is in progress."""
        return self.current is not None

    @property
    def last_input(self) -> str | None:
        """The input of the newest run; None before the first one."""
        return None if self._newest is None else self._newest.input_text

    def begin(self, job: Mapping[str, Any], input_text: str, now: float) -> RunRecord:
        """Begin a run."""
        number = self._history.begin(job["algorithmName"], input_text)
        self._newest = RunRecord(number, job, input_text, now)
        self._now = now
        self.changed()
        self._history_changed()
        return self._newest

    def end(self, record: RunRecord, outcome: events.Outcome, now: float) -> None:
        """Keep a run that has ended; a second call for it does nothing."""
        if record.outcome is not None:
            return
        result = kept_json(outcome.result) if isinstance(outcome, events.Done) else None
        record.end(outcome, now, 0 if result is None else len(result))
        total, _ = record.lines(0, 0)
        self._history.end(record.facts(), result, record.lines(max(0, total - 5000), 5000)[1])
        self.changed()
        self._history_changed()

    def abandon(self, now: float) -> None:
        """End the run in progress, because the command ends."""
        if self.current is not None:
            self.end(self.current, events.Lost("hkube-wrapper dev was ended"), now)

    def take_event(self, event: events.WorkerEvent) -> None:
        """Record an event of the run in progress."""
        record = self.current
        if record is not None and event.task_id in (None, record.job["taskId"]):
            self._now = event.at
            record(event)
            self.changed()

    def add_lines(self, lines: Sequence[tuple[str, str]], now: float) -> None:
        """Add output to the run in progress, or else to the newest one."""
        record = self._newest
        if record is not None:
            record.add_lines(lines, now)
            self.changed()

    def add_usage(self, cores: float, memory: int, now: float) -> None:
        """Add a sample to the run in progress."""
        record = self.current
        if record is not None:
            self._now = now
            record.add_usage(cores, memory, now)
            self.changed()

    def changed(self) -> None:
        """Show the newest run again."""
        self._topics.touch("run")

    def version(self) -> int:
        """Return a number that changes whenever a run begins or has ended."""
        return self._version

    def newest(self) -> dict[str, Any] | None:
        """Return the facts of the newest run; None before the first one."""
        return None if self._newest is None else self._newest.facts(self._now)

    def facts(self, number: int) -> dict[str, Any]:
        """Return the facts of a run.

        Raises:
            CommandError: it is not kept.
        """
        record = self._newest
        if record is not None and record.number == number:
            return record.facts(self._now)
        facts = self._history.facts(number)
        if facts is None:
            raise CommandError(f"run {number} was not kept")
        return facts

    def input_text(self, number: int) -> str:
        """Return the input of a run, as it was typed.

        Raises:
            CommandError: it is not kept.
        """
        text = self._history.input_text(number)
        if text is None:
            raise CommandError(f"run {number} was not kept")
        return text

    def lines(self, number: int, start: int, limit: int) -> tuple[int, Sequence[LogLine]]:
        """Return how many lines a run has written, and some of them."""
        record = self._newest
        if record is not None and record.number == number:
            return record.lines(start, limit)
        lines = self._history.lines(number)
        return len(lines), lines[start : start + limit]

    def result(self, number: int) -> Any:
        """Return the result of a run.

        Raises:
            CommandError: it has none, or it is not kept.
        """
        record = self._newest
        if record is not None and record.number == number:
            if isinstance(record.outcome, events.Done):
                return record.outcome.result
            raise CommandError(f"run {number} has no result")
        with self._lock:
            if self._restored is None or self._restored[0] != number:
                text = self._history.result_json(number)
                if text is None:
                    raise CommandError(
                        f"the result of run {number} was not kept: it failed, or its result is "
                        "too large; run it again"
                    )
                self._restored = (number, restored(text))
            return self._restored[1]

    def _history_changed(self) -> None:
        self._version += 1
        self._topics.touch("history")
