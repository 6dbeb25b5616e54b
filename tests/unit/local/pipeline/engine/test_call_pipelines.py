"""How an algorithm's calls become pipelines, and outcomes become replies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrapper.errors import WrapperError
from wrapper.local.pipeline.catalog.algorithms import Algorithms
from wrapper.local.pipeline.catalog.stored_pipelines import StoredPipelines, UnusablePipeline
from wrapper.local.pipeline.descriptor.descriptor import Pipeline
from wrapper.local.pipeline.descriptor.inputs import expand
from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.pipeline.engine.call_pipelines import check_depth, pipeline_of, reply_of
from wrapper.local.pipeline.engine.jobs import MAX_DEPTH, Place
from wrapper.local.pipeline.run.actions import PipelineFailed, PipelineStopped, Succeeded, TaskKey
from wrapper.local.worker.answers import Call, Cancelled, Failure, Result
from wrapper.local.worker.call_messages import parse_call

NODES = [{"nodeName": "n", "algorithmName": "green", "input": ["@flowInput.x"]}]
STORED: StoredPipelines = {
    "stock": parse_pipeline({"name": "stock", "nodes": NODES, "flowInput": {"x": 1}}, "p"),
    "live": UnusablePipeline("live.json: kind: an algorithm cannot start a streaming pipeline"),
}


def call(command: str, **data: Any) -> Call:
    parsed = parse_call(command, data)
    assert parsed is not None
    return parsed


def execution(name: str, given: Any) -> Call:
    return call("startAlgorithmExecution", execId="1", algorithmName=name, input=given)


def raw(**fields: Any) -> Call:
    return call("startRawSubPipeline", subPipelineId="1", subPipeline={"name": "raw", **fields})


def stored(**fields: Any) -> Call:
    return call("startStoredSubPipeline", subPipelineId="1", subPipeline=fields)


@pytest.fixture
def algorithms(tmp_path: Path) -> Algorithms:
    (tmp_path / "green.py").touch()
    return Algorithms({"green": tmp_path / "green.py"}, "algs")


def made(algorithms: Algorithms, asked: Call, scripted: tuple[str, ...] = ()) -> Pipeline:
    return pipeline_of(asked, algorithms, STORED, scripted)


def test_algorithm_call_becomes_one_node_with_literal_input(algorithms: Algorithms) -> None:
    pipeline = made(algorithms, execution("green", ["@flowInput", "#[1,2]", {"k": "*@x"}]))
    (node,) = pipeline.nodes
    assert (pipeline.name, pipeline.ttl, node.algorithm) == ("green", 0, "green")
    (inputs,) = expand(node.inputs, node.operation, lambda reference: None).inputs
    assert inputs == ["@flowInput", "#[1,2]", {"k": "*@x"}]


def test_input_that_is_not_a_list_becomes_the_only_item(algorithms: Algorithms) -> None:
    (node,) = made(algorithms, execution("green", 5)).nodes
    assert expand(node.inputs, node.operation, lambda reference: None).inputs == [[5]]


def test_raw_pipeline_call_is_parsed(algorithms: Algorithms) -> None:
    asked = raw(nodes=NODES, flowInput={"x": 5}, options=None, webhooks={})
    assert made(algorithms, asked).flow_input == {"x": 5}


def test_flow_input_of_the_call_replaces_the_stored_one(algorithms: Algorithms) -> None:
    assert made(algorithms, stored(name="stock")).flow_input == {"x": 1}
    assert made(algorithms, stored(name="stock", flowInput={"x": 2})).flow_input == {"x": 2}


def test_scripted_algorithm_need_not_be_available(algorithms: Algorithms) -> None:
    nodes = [{"nodeName": "n", "algorithmName": "blue"}]
    assert made(algorithms, raw(nodes=nodes), scripted=("blue",)).nodes[0].algorithm == "blue"


@pytest.mark.parametrize(
    "asked, problem",
    [
        (
            execution("grean", []),
            "algorithm 'grean': there is no answer for it, and there is no algorithm 'grean' in",
        ),
        (raw(nodes=[]), "raw pipeline 'raw': nodes: a pipeline needs at least one node"),
        (raw(), "raw pipeline 'raw': 'nodes' is missing"),
        (
            raw(nodes=[{"nodeName": "n", "algorithmName": "blue"}]),
            "raw pipeline 'raw': nodes[0] 'n': there is no algorithm 'blue' in algs; available",
        ),
        (raw(nodes=NODES), "raw pipeline 'raw': node 'n' uses '@flowInput.x', which the flow"),
        (
            stored(name="stok"),
            "there is no answer for it, and there is no stored pipeline 'stok': did you mean",
        ),
        (stored(name="live"), "live.json: kind: an algorithm cannot start a streaming pipeline"),
        (stored(name="stock", flowInput={}), "stored pipeline 'stock': node 'n' uses '@flowInput"),
        (call("startRawSubPipeline", subPipelineId="1"), "raw pipeline 'None': 'name' is missing"),
        (
            call("dataSourceRequest", requestId="1", dataSource={"name": "d"}),
            "there is no answer for data source 'd'",
        ),
    ],
)
def test_impossible_call_is_reported(algorithms: Algorithms, asked: Call, problem: str) -> None:
    with pytest.raises(WrapperError) as caught:
        made(algorithms, asked)
    assert problem in str(caught.value)


def test_too_deeply_nested_calls_are_rejected() -> None:
    place = Place()
    for _ in range(MAX_DEPTH):
        place = place.below("a", "f")
        check_depth(place)
    with pytest.raises(WrapperError) as caught:
        check_depth(place.below("a", "f"))
    assert str(caught.value) == (
        "calls are nested more than 10 levels deep (… > f > f > f): does an algorithm start itself?"
    )


def test_reply_follows_from_the_outcome() -> None:
    entry = {"nodeName": "green", "algorithmName": "green", "result": [1]}
    asked = execution("green", [])
    assert reply_of(asked, Succeeded([entry])) == Result([1])
    assert reply_of(raw(), Succeeded([entry])) == Result([entry])
    assert reply_of(raw(), PipelineFailed("E", TaskKey("n"))) == Failure("E")
    assert reply_of(raw(), PipelineStopped("enough")) == Cancelled("enough")
