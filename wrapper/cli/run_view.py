"""Shows a run: messages for a person on stderr, results for a program on stdout."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from typing import Any, TextIO, final

from ..local.run.null_result import null_result_note
from ..local.show.progress_note import ProgressNote
from ..local.show.record import Record
from ..local.show.screen import Screen
from ..local.show.terminal import Terminal, duration
from ..local.source.source import AlgorithmSource
from ..local.worker import events

_INDENT = 2


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
    ) -> None:
        """Prepare a view.

        Args:
            screen: where lines go.
            started: when the command began, in seconds of the monotonic clock.
            as_json: print an object for each task instead of its result.
            results: where results go.
            source: the algorithm, if its code is known.
        """
        self.screen = screen
        self.started = started
        self.terminal = Terminal(screen, started)
        self._as_json = as_json
        self._results = results
        self._source = source
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
        if self._as_json:
            assert self._record is not None
            print_json(self._record.to_json(outcome, exit_code), self._results)
        elif isinstance(outcome, events.Done):
            print_result(outcome.result, self._results)

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


def print_result(value: Any, stream: TextIO) -> None:
    """Print a result as JSON: indented on a terminal, else in one line."""
    print_json(value, stream, indent=_INDENT if stream.isatty() else None)


def print_json(value: Any, stream: TextIO, indent: int | None = None) -> None:
    """Print a value as JSON, escaped if the stream cannot show it."""
    text = as_json(value, indent)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, or a stream that is ASCII only
        text = json.dumps(json.loads(text), indent=indent)
    print(text, file=stream, flush=True)


def as_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON: NaN becomes null, and bytes become text."""
    try:
        return json.dumps(value, ensure_ascii=False, default=repr, allow_nan=False, indent=indent)
    except ValueError:
        text = json.dumps(value, ensure_ascii=False, default=repr)
        finite = json.loads(text, parse_constant=lambda name: None)
        return json.dumps(finite, ensure_ascii=False, indent=indent)
