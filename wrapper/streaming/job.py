"""What a job says about streaming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .flows import names_of

STREAM_KIND = "stream"


class StreamJob(NamedTuple):
    """A node's part in a streaming pipeline.

    Attributes:
        node: its name.
        parents: names of the nodes that it gets messages from.
        children: names of the nodes that get messages from it.
        is_stateless: its `start` is called once a message.
    """

    node: str
    parents: tuple[str, ...]
    children: tuple[str, ...]
    is_stateless: bool


def read_stream_job(data: Mapping[str, Any]) -> StreamJob | None:
    """The streaming part of an `initialize` message's data; None: it is a batch task."""
    if data.get("kind") != STREAM_KIND:
        return None
    return StreamJob(
        node=str(data.get("nodeName") or ""),
        parents=tuple(names_of(data.get("parents"))),
        children=tuple(names_of(data.get("childs"))),
        # Where HKube says nothing, its Python wrapper takes a node for stateful.
        is_stateless=data.get("stateType") == "stateless",
    )


# HKube's debug gateway gives streaming nodes tasks of kind batch, with some of these.
_MARKS = ("parsedFlow", "streamInput", "defaultFlow")


def is_streaming(data: object) -> bool:
    """Whether a task is a part of a streaming pipeline; cheap, because each task is asked."""
    return isinstance(data, dict) and (
        data.get("kind") == STREAM_KIND
        or data.get("stateType") is not None
        or any(name in data for name in _MARKS)
    )
