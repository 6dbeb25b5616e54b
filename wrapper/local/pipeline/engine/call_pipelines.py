"""What an algorithm asks for becomes a pipeline to run, and its outcome the reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....errors import WrapperError
from ...worker.answers import Call, CallKind, Cancelled, Failure, Reply, Result
from ..catalog.algorithms import (
    Algorithms,
    Stored,
    check_algorithms,
    missing_pipeline,
    stored_pipeline,
)
from ..descriptor.descriptor import Node, Pipeline
from ..descriptor.parsing import parse_pipeline, with_flow_input
from ..descriptor.references import Given
from ..run.actions import Outcome, PipelineStopped, Succeeded
from .jobs import MAX_DEPTH, Place


class UnanswerableCall(WrapperError):
    """A call cannot be answered here; the text is for the algorithm."""

    code = "CallError"


def pipeline_of(
    call: Call,
    algorithms: Algorithms,
    stored: Stored,
    scripted: Iterable[str],
) -> Pipeline:
    """Return the pipeline that answers a call; of an algorithm, one with a single node.

    Args:
        scripted: the names of algorithms that are answered without being there.

    Raises:
        WrapperError: what is asked for is not at hand, or cannot be run.
    """
    where = f"{call.kind.value} '{call.name}'"
    if call.kind is CallKind.ALGORITHM:
        if call.name not in algorithms:
            text = f"there is no answer for it, and {algorithms.missing(call.name)}"
            raise UnanswerableCall(f"{where}: {text}")
        algorithms.source(call.name)
        return _of_algorithm(call)
    if call.kind is CallKind.DATA_SOURCE:
        raise UnanswerableCall(f"there is no answer for {where}")
    body = call.body.get("subPipeline")
    body = body if isinstance(body, dict) else {}
    if call.kind is CallKind.RAW_PIPELINE:
        pipeline = parse_pipeline(_without_nulls(body), where)
    elif call.name in stored:
        pipeline = stored_pipeline(call.name, stored)
    else:
        raise UnanswerableCall(
            f"there is no answer for it, and {missing_pipeline(call.name, stored)}"
        )
    # As HKube has it: the flow input of the call, also an empty one, replaces the stored one.
    pipeline = with_flow_input(pipeline, body.get("flowInput"), where)
    check_algorithms(pipeline, where, algorithms, scripted)
    return pipeline


def check_depth(place: Place) -> None:
    """See that calls are not nested without end.

    Raises:
        CallError: they are.
    """
    if place.depth > MAX_DEPTH:
        chain = " > ".join(place.path[-5::2])
        raise UnanswerableCall(
            f"calls are nested more than {MAX_DEPTH} deep here (… > {chain}): "
            "does an algorithm start itself?"
        )


def reply_of(call: Call, outcome: Outcome) -> Reply:
    """Return the reply that a run's outcome is."""
    if isinstance(outcome, Succeeded):
        if call.kind is CallKind.ALGORITHM:
            return Result(outcome.results[0]["result"])
        return Result(outcome.results)
    if isinstance(outcome, PipelineStopped):
        return Cancelled(outcome.reason)
    return Failure(outcome.text)


def _of_algorithm(call: Call) -> Pipeline:
    given: Any = call.input if isinstance(call.input, list) else [call.input]
    node = Node(call.name, call.name, inputs=tuple(Given(item) for item in given))
    return Pipeline(call.name, (node,), ttl=0)


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
