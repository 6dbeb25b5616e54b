"""Shows a run: messages for a person on stderr, results for a program on stdout."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping
from typing import Any, TextIO, final

from ..local.show.record import Record
from ..local.show.screen import Screen
from ..local.show.terminal import Terminal, duration
from ..local.worker import events


@final
class RunView:
    """A listener that shows the worker's events, and the callbacks of a session.

    Attributes:
        screen: shows lines.
        terminal: shows the events there.
        started: when the command began, in seconds of the monotonic clock.
    """

    def __init__(self, screen: Screen, started: float, as_json: bool, results: TextIO) -> None:
        """Prepare a view.

        Args:
            screen: where lines go.
            started: when the command began, in seconds of the monotonic clock.
            as_json: print an object for each task instead of its result.
            results: where results go.
        """
        self.screen = screen
        self.started = started
        self.terminal = Terminal(screen, started)
        self._as_json = as_json
        self._results = results
        self._record: Record | None = None
        self._seconds: list[float] = []
        self._began = started

    def __call__(self, event: events.WorkerEvent) -> None:
        """Show an event."""
        self.terminal(event)
        if self._record is not None:
            self._record(event)

    def begin(self, job: Mapping[str, Any]) -> None:
        """Prepare for the next task."""
        self.terminal.begin(job)
        self._record = Record(job)
        self._began = time.monotonic()

    def ended(self, job: Mapping[str, Any], outcome: events.Outcome, exit_code: int | None) -> None:
        """Print a task's result, or its JSON object."""
        self._seconds.append(time.monotonic() - self._began)
        if self._as_json:
            assert self._record is not None
            self._print(self._record.to_json(outcome, exit_code))
        elif isinstance(outcome, events.Done):
            self._print(outcome.result)

    def summary(self) -> None:
        """Report how long the tasks took, if there were several."""
        if len(self._seconds) > 1:
            self.terminal.say(
                f"{len(self._seconds)} tasks: "
                f"median {duration(statistics.median(self._seconds))}, "
                f"longest {duration(max(self._seconds))}"
            )

    def _print(self, value: Any) -> None:
        print_json(value, self._results)


def print_json(value: Any, stream: TextIO) -> None:
    """Print a value as one line of JSON, escaped if the stream cannot show it."""
    text = as_json(value)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair, or a stream that is ASCII only
        text = json.dumps(json.loads(text))
    print(text, file=stream, flush=True)


def as_json(value: Any) -> str:
    """Return a value as JSON: NaN becomes null, and bytes become text."""
    try:
        return json.dumps(value, ensure_ascii=False, default=repr, allow_nan=False)
    except ValueError:
        text = json.dumps(value, ensure_ascii=False, default=repr)
        finite = json.loads(text, parse_constant=lambda name: None)
        return json.dumps(finite, ensure_ascii=False)
