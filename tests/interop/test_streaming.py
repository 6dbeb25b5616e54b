"""Streaming next to HKube's published wrappers: each as producer and as consumer of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Serve

from .stream_nodes import (
    NODE,
    OURS,
    PYTHON,
    SINK,
    SOURCE,
    STATELESS,
    StreamNode,
    StreamNodes,
    install_published_python,
)

FLOW = {"parsedFlow": {"main": [{"source": "A", "next": ["B"]}]}, "defaultFlow": "main"}
STREAM: dict[str, Any] = {"kind": "stream", **FLOW}
COUNT = 50


@pytest.fixture(scope="session")
def published_python() -> str:
    """The interpreter of a virtual environment with the published Python wrapper."""
    return install_published_python()


@pytest.fixture(params=[PYTHON, NODE])
def published(request: pytest.FixtureRequest) -> dict[str, str]:
    """One of the published wrappers, and what runs it."""
    wrapper = str(request.param)
    fixture = "node" if wrapper == NODE else "published_python"
    return {wrapper: request.getfixturevalue(fixture)}


@pytest.fixture
def nodes(serve: Serve, published: dict[str, str], tmp_path: Path) -> Iterator[StreamNodes]:
    made = StreamNodes(serve, published, tmp_path)
    yield made
    made.close()


@pytest.fixture
def theirs(published: dict[str, str]) -> str:
    """The name of the published wrapper."""
    return next(iter(published))


def expected(count: int, first: int = 0) -> list[str]:
    return [f"A {number} 00ff" for number in range(first, first + count)]


def begin_source(source: StreamNode, count: int) -> None:
    source.begin(count, nodeName="A", childs=["B"], stateType="stateful", **STREAM)


def begin_sink(sink: StreamNode, state_type: str = "stateful") -> None:
    sink.begin(nodeName="B", parents=["A"], stateType=state_type, **STREAM)


def last_report(source: StreamNode, responses: int) -> dict[str, Any]:
    """Wait until a report counts so many responses."""
    while True:
        (report,) = source.worker.wait_for("streamingStatistics", timeout=30).data
        if report["responses"] >= responses:
            return dict(report)


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
@pytest.mark.parametrize("state_type", ["stateful", "stateless"])
@pytest.mark.parametrize("role", ["producer", "consumer"])
def test_messages_pass_between_our_wrapper_and_a_published_one(
    nodes: StreamNodes, theirs: str, encoding: str, state_type: str, role: str
) -> None:
    source = nodes.start(OURS if role == "producer" else theirs, SOURCE, encoding)
    code = STATELESS if state_type == "stateless" else SINK
    sink = nodes.start(OURS if role == "consumer" else theirs, code, encoding)
    begin_sink(sink, state_type)
    begin_source(source, COUNT)
    sink.know(source)
    assert sink.wait_for(COUNT) == expected(COUNT)
    report = last_report(source, COUNT)
    assert report["nodeName"] == "B"
    assert (report["responses"], report["queueSize"], report["dropped"]) == (COUNT, 0, 0)
    assert report["sent"] == COUNT
    assert len(sink.received()) == COUNT


def test_our_drain_hands_everything_to_a_published_consumer(
    nodes: StreamNodes, theirs: str
) -> None:
    source = nodes.start(OURS, SOURCE, "msgpack")
    begin_source(source, COUNT)
    last_report(source, 0)
    source.worker.send("stop", {"forceStop": False})
    source.worker.wait_for("stopping")
    sink = nodes.start(theirs, SINK, "msgpack")
    begin_sink(sink)
    sink.know(source)
    source.worker.wait_for("stopped", timeout=30)
    assert sink.received() == expected(COUNT)


def test_our_consumer_takes_what_a_published_producer_drains(
    nodes: StreamNodes, theirs: str
) -> None:
    if theirs == PYTHON:
        pytest.skip("the published Python wrapper throws its queue away instead of draining it")
    source = nodes.start(theirs, SOURCE, "msgpack")
    begin_source(source, COUNT)
    last_report(source, 0)
    source.worker.send("stop", {"forceStop": False})
    source.worker.wait_for("stopping")
    sink = nodes.start(OURS, SINK, "msgpack")
    begin_sink(sink)
    sink.know(source)
    assert sink.wait_for(COUNT) == expected(COUNT)
    source.worker.wait_for("stopped", "done", timeout=30)


def test_our_consumer_goes_on_when_a_producer_restarts_at_its_address(
    nodes: StreamNodes, theirs: str
) -> None:
    source = nodes.start(theirs, SOURCE, "msgpack")
    sink = nodes.start(OURS, SINK, "msgpack")
    begin_sink(sink)
    begin_source(source, COUNT)
    sink.know(source)
    sink.wait_for(COUNT)
    nodes.kill(source)
    again = nodes.start(theirs, SOURCE, "msgpack", port=source.port)
    begin_source(again, COUNT)
    assert sink.wait_for(2 * COUNT) == expected(COUNT) * 2


def test_published_consumer_goes_on_when_our_producer_restarts_at_its_address(
    nodes: StreamNodes, theirs: str
) -> None:
    source = nodes.start(OURS, SOURCE, "msgpack")
    sink = nodes.start(theirs, SINK, "msgpack")
    begin_sink(sink)
    begin_source(source, COUNT)
    sink.know(source)
    sink.wait_for(COUNT)
    source.worker.send("stop", {"forceStop": True})
    source.worker.wait_for("stopped")
    source.worker.send("exit", {"exitCode": 0})
    source.worker.wait_disconnected()
    again = nodes.start(OURS, SOURCE, "msgpack", port=source.port)
    begin_source(again, COUNT)
    if theirs == NODE:  # it never asks again by itself: HKube reports the new pod
        sink.know(again, "Del")
        sink.know(again, "Add")
    assert sink.wait_for(2 * COUNT) == expected(COUNT) * 2
