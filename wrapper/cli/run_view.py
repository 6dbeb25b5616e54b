"""Shows a run: messages for a person on stderr, results for a program on stdout."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, final

from ..local.run.null_result import null_result_note
from ..local.show.progress_note import ProgressNote
from ..local.show.record import Record
from ..local.show.screen import Screen
from ..local.show.terminal import Terminal, duration
from ..local.source.source import AlgorithmSource
from ..local.worker import events
from .results import print_json, print_result, write_result


@final
class RunView:
    """A listener that shows the worker's events, and the callbacks of a session.

    Attributes:
        screen: shows lines.
        terminal: shows the events there.
        started: when the command began, in seconds of the monotonic clock.
    """

    def __init__(
        self,
        screen: Screen,
        started: float,
        as_json: bool,
        results: TextIO,
        source: AlgorithmSource | None = None,
        output: Path | None = None,
        quiet: bool = False,
    ) -> None:
        """Prepare a view.

        Args:
            screen: where lines go.
            started: when the command began, in seconds of the monotonic clock.
            as_json: print an object for each task instead of its result.
            results: where results go.
            source: the algorithm, if its code is known.
            output: a file for the result, in place of `results`.
            quiet: show only what the algorithm writes, warnings and errors.
        """
        self.screen = screen
        self.started = started
        self.terminal = Terminal(screen, started, quiet)
        self._as_json = as_json
        self._results = results
        self._source = source
        self._output = output
        self._progress = ProgressNote()
        self._noted: set[str] = set()
        self._record: Record | None = None
        self._seconds: list[float] = []
        self._began = started

    def __call__(self, event: events.WorkerEvent) -> None:
        """Show an event."""
        self.terminal(event)
        if isinstance(event, events.Progress):
            self._progress.add(event.value)
        if self._record is not None:
            self._record(event)

    def begin(self, job: Mapping[str, Any]) -> None:
        """Prepare for the next task."""
        self.terminal.begin(job)
        self._record = Record(job)
        self._progress = ProgressNote()
        self._began = time.monotonic()

    def ended(self, job: Mapping[str, Any], outcome: events.Outcome, exit_code: int | None) -> None:
        """Print a task's result, or its JSON object."""
        self._seconds.append(time.monotonic() - self._began)
        self._note(self._progress.text())
        if outcome == events.Done(None) and self._source is not None:
            self._note(null_result_note(self._source))
        self.screen.flush()  # both may be the same terminal
        if self._output is not None and isinstance(outcome, events.Done):
            write_result(outcome.result, self._output, self.terminal.say)
        if self._as_json:
            assert self._record is not None
            print_json(self._record.to_json(outcome, exit_code), self._results)
        elif self._output is None and isinstance(outcome, events.Done):
            print_result(outcome.result, self._results, self.terminal.say)

    def _note(self, text: str | None) -> None:
        """Show a note, once."""
        if text is not None and text not in self._noted:
            self._noted.add(text)
            self.terminal.say(f"note: {text}", "yellow")

    def summary(self) -> None:
        """Report how long the tasks took, if there were several."""
        if len(self._seconds) > 1:
            self.terminal.say(
                f"{len(self._seconds)} tasks: "
                f"median {duration(statistics.median(self._seconds))}, "
                f"longest {duration(max(self._seconds))}"
            )
