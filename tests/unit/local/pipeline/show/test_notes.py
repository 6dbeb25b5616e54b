"""Notes about the results and the progress of a pipeline's tasks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wrapper.local.pipeline import events
from wrapper.local.pipeline.run.actions import TaskKey
from wrapper.local.pipeline.show.notes import WithNotes
from wrapper.local.source.source import AlgorithmSource, open_algorithm
from wrapper.local.worker import events as worker_events


class View:
    def __init__(self) -> None:
        self.events: list[events.PipelineEvent] = []
        self.said: list[str] = []

    def __call__(self, event: events.PipelineEvent) -> None:
        self.events.append(event)

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[AlgorithmSource]:
    (tmp_path / "main.py").write_text("def start(args):\n    args['input']\n")
    with open_algorithm(tmp_path) as source:
        yield source


def run(view: View, source: AlgorithmSource | None, progress: list[float], is_null: bool) -> None:
    """Show a run of a batch of two tasks."""
    listener = WithNotes(view, lambda name: source)
    happened: list[events.PipelineEvent] = [
        events.RunStarted(0.0, (), name="p", nodes=(("a", "alg"),))
    ]
    for number in (1, 2):
        task = TaskKey("a", (number,))
        happened += [
            events.TaskReported(1.0, (), task, worker_events.Progress(1.0, None, value, None))
            for value in progress
        ]
        happened.append(events.TaskDone(2.0, (), task, is_null=is_null))
    for event in happened:
        listener(event)
    assert view.events == happened


def test_a_result_that_nobody_returned_is_noted_once_a_node(source: AlgorithmSource) -> None:
    view = View()
    run(view, source, [50], is_null=True)
    assert view.said == ["note: a: the result is null, because start (main.py:1) returns nothing"]


def test_fractions_as_progress_are_noted_once_a_node(source: AlgorithmSource) -> None:
    view = View()
    run(view, source, [0.1, 0.9], is_null=False)
    assert view.said == [
        "note: a: progress never went above 1; it is a percentage: report 50, not 0.5"
    ]


def test_nothing_is_noted_about_scripted_answers_and_usual_runs(source: AlgorithmSource) -> None:
    for code, is_null in ((None, True), (source, False)):
        view = View()
        run(view, code, [10, 90], is_null)
        assert view.said == []
