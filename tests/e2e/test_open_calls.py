"""The calls of one algorithm, answered by running what it asks for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from wrapper.local.pipeline import events as pipeline_events
from wrapper.local.pipeline.catalog.algorithms import CatalogError
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
    """What becomes of one call, and what was heard of it."""
    (folder / "algorithms").mkdir()
    (folder / "pipelines").mkdir()
    (folder / "caller.py").write_text(CALLER)
    (folder / "algorithms" / "double.py").write_text(DOUBLE)
    node = {"nodeName": "n", "algorithmName": "double", "input": ["#@flowInput.x"]}
    (folder / "pipelines" / "stored.json").write_text(json.dumps({"nodes": [node]}))
    heard: list[pipeline_events.PipelineEvent] = []
    with (
        open_algorithm(folder / "caller.py") as source,
        open_calls(
            "caller",
            None if alone else folder / "algorithms",
            None if alone else folder / "pipelines",
            answers or AnswerTable(),
            os.environ,
            heard.append,
        ) as replies,
        LocalWorker(answers=replies) as worker,
        AlgorithmContainer(source, worker.port, os.environ),
    ):
        outcome = worker.run(make_job(given, "caller"), LIMIT)
    assert not psutil.Process().children(recursive=True)
    return outcome, heard


def test_an_algorithm_runs(tmp_path: Path) -> None:
    outcome, heard = call(tmp_path, "algorithm", "double", [4])
    assert outcome == events.Done([8, True])
    assert [each.line for each in heard if isinstance(each, pipeline_events.OutputLine)] == [
        "at work"
    ]
    assert {each.run for each in heard} == {("caller", "double")}


def test_a_stored_pipeline_runs(tmp_path: Path) -> None:
    outcome, _ = call(tmp_path, "pipeline", "stored", {"x": [1, 2]})
    assert isinstance(outcome, events.Done)
    assert [entry["result"][0] for entry in outcome.result] == [2, 4]


def test_a_script_goes_first(tmp_path: Path) -> None:
    scripted = AnswerTable(algorithms={"double": Result("scripted")})
    outcome, heard = call(tmp_path, "algorithm", "double", [4], answers=scripted)
    assert outcome == events.Done("scripted")
    assert heard == []


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    outcome, _ = call(tmp_path, "algorithm", "double", [4], alone=True)
    assert isinstance(outcome, events.Failed)
    assert outcome.message.startswith(
        "AlgorithmExecutionError: algorithm 'double': there is no answer for it, and there is no "
        "algorithm 'double': --algorithms names a folder of them"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(CatalogError, match="none does not exist"),
        open_calls("n", tmp_path / "none", None, AnswerTable(), os.environ),
    ):
        pass
