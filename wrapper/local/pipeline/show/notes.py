"""Adds notes to a pipeline's run: about results and progress that nobody can have meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, final

from ...run.null_result import null_result_note
from ...show.progress_note import ProgressNote
from ...source.source import AlgorithmSource
from ...worker import events as worker_events
from .. import events
from ..run.actions import TaskKey
from .board import label_of


class PipelineView(Protocol):
    """A listener that can also show a message of the command."""

    def __call__(self, event: events.PipelineEvent) -> None: ...
    def say(self, text: str) -> None: ...


@final
class WithNotes:
    """A listener that passes all events on, and says each note once for a node."""

    def __init__(
        self, view: PipelineView, source_of: Callable[[str], AlgorithmSource | None]
    ) -> None:
        """Create it.

        Args:
            view: what shows the events and the notes.
            source_of: returns an algorithm's code; None if there is none.
        """
        self._view = view
        self._source_of = source_of
        self._algorithms: dict[tuple[events.Path, str], str] = {}
        self._progress: dict[tuple[events.Path, TaskKey], ProgressNote] = {}
        self._said: set[tuple[str, str]] = set()
        self._null_nodes: set[tuple[events.Path, str]] = set()

    def __call__(self, event: events.PipelineEvent) -> None:
        """Pass an event on; say what there is to note about it."""
        self._view(event)
        match event:
            case events.RunStarted():
                self._algorithms |= {(event.run, node): name for node, name in event.nodes}
            case events.TaskReported(event=worker_events.Progress() as reported):
                self._progress.setdefault((event.run, event.task), ProgressNote()).add(
                    reported.value
                )
            case events.TaskDone():
                self._note_progress(event)
                if event.is_null:
                    self._note_null(event)
            case events.TaskFailed() | events.TaskStopped():
                self._progress.pop((event.run, event.task), None)

    def say(self, text: str) -> None:
        """Show a message of the command."""
        self._view.say(text)

    def _note_progress(self, event: events.TaskDone) -> None:
        noticed = self._progress.pop((event.run, event.task), None)
        if noticed is not None:
            self._note(event, noticed.text())

    def _note_null(self, event: events.TaskDone) -> None:
        node = event.run, event.task.node
        if node in self._null_nodes:
            return
        self._null_nodes.add(node)
        algorithm = self._algorithms.get(node)
        source = None if algorithm is None else self._source_of(algorithm)
        if source is not None:
            self._note(event, null_result_note(source))

    def _note(self, event: events.TaskDone, text: str | None) -> None:
        label = label_of(event.run, event.task.node)
        if text is not None and (label, text) not in self._said:
            self._said.add((label, text))
            self._view.say(f"note: {label}: {text}")
