"""Turns an algorithm's call into a pipeline to run, and the run's outcome into the reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ....errors import WrapperError
from ...worker.answers import Call, CallKind, Cancelled, Failure, Reply, Result
from ..catalog.algorithms import Algorithms, check_algorithms
from ..catalog.stored_pipelines import StoredPipelines, missing_pipeline, stored_pipeline
from ..descriptor.descriptor import Node, Pipeline
from ..descriptor.parsing import parse_pipeline, with_flow_input
from ..descriptor.references import LiteralValue
from ..run.actions import PipelineStopped, RunOutcome, Succeeded
from .jobs import MAX_DEPTH, Place


class UnanswerableCall(WrapperError):
    """A call cannot be answered; the text is sent to the algorithm."""

    code = "CallError"


def pipeline_of(
    call: Call,
    algorithms: Algorithms,
    stored: StoredPipelines,
    scripted: Iterable[str],
) -> Pipeline:
    """Return the pipeline that answers a call; for an algorithm, a pipeline with a single node.

    Args:
        call: the call to answer.
        algorithms: the available algorithms.
        stored: the available stored pipelines.
        scripted: the names of algorithms that need not be available, because they have a reply.

    Raises:
        WrapperError: the requested algorithm or pipeline is not available, or cannot run.
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
    # As in HKube, the call's flow input replaces the stored one, even if it is empty.
    pipeline = with_flow_input(pipeline, body.get("flowInput"), where)
    check_algorithms(pipeline, where, algorithms, scripted)
    return pipeline


def check_depth(place: Place) -> None:
    """Check that calls are not nested too deeply.

    Raises:
        UnanswerableCall: more than MAX_DEPTH runs wait for each other.
    """
    if place.depth > MAX_DEPTH:
        chain = " > ".join(place.path[-5::2])
        raise UnanswerableCall(
            f"calls are nested more than {MAX_DEPTH} levels deep (… > {chain}): "
            "does an algorithm start itself?"
        )


def reply_of(call: Call, outcome: RunOutcome) -> Reply:
    """Return the reply to a call whose run has ended."""
    if isinstance(outcome, Succeeded):
        if call.kind is CallKind.ALGORITHM:
            return Result(outcome.results[0]["result"])
        return Result(outcome.results)
    if isinstance(outcome, PipelineStopped):
        return Cancelled(outcome.reason)
    return Failure(outcome.text)


def _of_algorithm(call: Call) -> Pipeline:
    given: Any = call.input if isinstance(call.input, list) else [call.input]
    node = Node(call.name, call.name, inputs=tuple(LiteralValue(item) for item in given))
    return Pipeline(call.name, (node,), ttl=0)


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
