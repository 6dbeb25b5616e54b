"""The calls of a single algorithm, answered by running the algorithm or pipeline that they name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from wrapper.local.pipeline import events as pipeline_events
from wrapper.local.pipeline.catalog.folders import CatalogError
from wrapper.local.pipeline.engine.open_calls import open_calls
from wrapper.local.run.container import AlgorithmContainer
from wrapper.local.source.source import open_algorithm
from wrapper.local.worker import events
from wrapper.local.worker.answers import AnswerTable, Result
from wrapper.local.worker.job import make_job
from wrapper.local.worker.worker import LocalWorker

LIMIT = 60.0
CALLER = """\
def start(args, hkubeApi):
    kind, name, given = args["input"]
    if kind == "algorithm":
        return hkubeApi.start_algorithm(name, given)
    return hkubeApi.start_stored_subpipeline(name, given)
"""
DOUBLE = """\
def start(args):
    print("at work", flush=True)
    return [args["input"][0] * 2, args["info"]["rootJobId"] is not None]
"""


def call(
    folder: Path, *given: Any, answers: AnswerTable | None = None, alone: bool = False
) -> tuple[events.Outcome, list[pipeline_events.PipelineEvent]]:
    """Make one call; return its outcome and the events that were reported."""
    (folder / "algorithms").mkdir()
    (folder / "pipelines").mkdir()
    (folder / "caller.py").write_text(CALLER)
    (folder / "algorithms" / "double.py").write_text(DOUBLE)
    node = {"nodeName": "n", "algorithmName": "double", "input": ["#@flowInput.x"]}
    (folder / "pipelines" / "stored.json").write_text(json.dumps({"nodes": [node]}))
    received: list[pipeline_events.PipelineEvent] = []
    with (
        open_algorithm(folder / "caller.py") as source,
        open_calls(
            "caller",
            None if alone else folder / "algorithms",
            None if alone else folder / "pipelines",
            answers or AnswerTable(),
            os.environ,
            received.append,
        ) as replies,
        LocalWorker(answers=replies) as worker,
        AlgorithmContainer(source, worker.port, os.environ),
    ):
        outcome = worker.run(make_job(given, "caller"), LIMIT)
    assert not psutil.Process().children(recursive=True)
    return outcome, received


def test_algorithm_call_runs_it(tmp_path: Path) -> None:
    outcome, received = call(tmp_path, "algorithm", "double", [4])
    assert outcome == events.Done([8, True])
    assert [each.line for each in received if isinstance(each, pipeline_events.OutputLine)] == [
        "at work"
    ]
    assert {each.run for each in received} == {("caller", "double")}


def test_stored_pipeline_call_runs_it(tmp_path: Path) -> None:
    outcome, _ = call(tmp_path, "pipeline", "stored", {"x": [1, 2]})
    assert isinstance(outcome, events.Done)
    assert [entry["result"][0] for entry in outcome.result] == [2, 4]


def test_answers_take_precedence(tmp_path: Path) -> None:
    scripted = AnswerTable(algorithms={"double": Result("scripted")})
    outcome, received = call(tmp_path, "algorithm", "double", [4], answers=scripted)
    assert outcome == events.Done("scripted")
    assert received == []


def test_missing_algorithm_is_reported(tmp_path: Path) -> None:
    outcome, _ = call(tmp_path, "algorithm", "double", [4], alone=True)
    assert isinstance(outcome, events.Failed)
    assert outcome.message.startswith(
        "AlgorithmExecutionError: algorithm 'double': there is no answer for it, and there is no "
        "algorithm 'double'; give a folder of them with --algorithms"
    )


def test_missing_folder_is_rejected(tmp_path: Path) -> None:
    with (
        pytest.raises(CatalogError, match="none does not exist"),
        open_calls("n", tmp_path / "none", None, AnswerTable(), os.environ),
    ):
        pass
