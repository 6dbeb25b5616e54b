"""What a run of a streaming pipeline decides; the engine carries it out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StartPod:
    """Start a pod of a node.

    Attributes:
        pod: its number, which no other pod of the run has.
        batch_index: which of the node's inputs it gets, from 1; 0 without a batch.
    """

    pod: int
    node: str
    batch_index: int = 0


@dataclass(frozen=True)
class StopPod:
    """Stop a pod's task.

    Attributes:
        force: False: it hands over its messages first.
    """

    pod: int
    force: bool


@dataclass(frozen=True)
class KillPod:
    """End a pod's processes at once."""

    pod: int


@dataclass(frozen=True)
class Discover:
    """Report to a pod that pods of its parents came or went.

    Attributes:
        changes: the number of each pod, and whether it came.
    """

    pod: int
    changes: tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class SayRemark:
    """Show a sentence."""

    text: str


@dataclass(frozen=True)
class EndStream:
    """All pods have ended.

    Attributes:
        reason: why the run ended.
        has_failed: whether that is a failure.
    """

    reason: str
    has_failed: bool


StreamAction = StartPod | StopPod | KillPod | Discover | SayRemark | EndStream
