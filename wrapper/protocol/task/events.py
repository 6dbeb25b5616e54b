"""What can happen to a task, and what the state machine asks for in answer."""

from __future__ import annotations

from typing import NamedTuple

Payload = bytes | bytearray


# ------------------------------------------------------------- from the worker --
class InitializeReceived(NamedTuple):
    """A task begins; the frame is the worker's whole message."""

    frame: Payload


class StartReceived(NamedTuple):
    """The task's code is to run."""

    frame: Payload


class StopReceived(NamedTuple):
    """The task is to end, or (in IDLE) the pod is about to be scaled away."""

    frame: Payload


class ExitReceived(NamedTuple):
    """The container is to end with this code."""

    code: int
    frame: Payload


class AnswerReceived(NamedTuple):
    """The answer to a call that user code made."""

    frame: Payload


# -------------------------------------------------- from the algorithm process --
class ModuleLoaded(NamedTuple):
    """The user's module is loaded, or failed to.

    Attributes:
        has_stop: it has a `stop`.
        has_initialize: `initialize` must be waited for: it has one, or its failure is told there.
    """

    has_stop: bool
    has_initialize: bool


class InitializeCompleted(NamedTuple):
    """The user's `initialize` has returned."""

    generation: int


class FinalMessage(NamedTuple):
    """The task's last word, `done` or `errorMessage`."""

    generation: int
    message: Payload


class StopCompleted(NamedTuple):
    """What a stop asked for is done: the user's code has returned."""

    generation: int


class UserMessage(NamedTuple):
    """User code has something for the worker: progress, a span, a call."""

    generation: int
    message: Payload


class AlgorithmDied(NamedTuple):
    """The algorithm process is gone; the code is what the container would exit with."""

    code: int


# -------------------------------------------------------------- from elsewhere --
class SigtermReceived(NamedTuple):
    """SIGTERM."""


class CodeChanged(NamedTuple):
    """DEV_MODE: the algorithm's folder has changed."""


Event = (
    InitializeReceived
    | StartReceived
    | StopReceived
    | ExitReceived
    | AnswerReceived
    | ModuleLoaded
    | InitializeCompleted
    | FinalMessage
    | StopCompleted
    | UserMessage
    | AlgorithmDied
    | SigtermReceived
    | CodeChanged
)


# ------------------------------------------------------------ what is asked for --
class Send(NamedTuple):
    """Send a message without data to the worker, by its command."""

    command: str


class Forward(NamedTuple):
    """Send the worker a message that the algorithm process has encoded.

    Attributes:
        final: the task's last word, which must not get lost with a broken link.
    """

    message: Payload
    final: bool


class Deliver(NamedTuple):
    """Write a frame to the algorithm process."""

    kind: int
    generation: int
    payload: Payload


class DropKeptMessages(NamedTuple):
    """Another task begins: drop what is kept for a worker that was out of reach."""


class KillAlgorithm(NamedTuple):
    """End the algorithm process and its group; start another one unless the container ends.

    Attributes:
        reason: for the log.
        stuck: write the stacks of its threads to the log first.
    """

    reason: str
    stuck: bool
    respawn: bool


class Note(NamedTuple):
    """Say something in the log."""

    level: str
    text: str


class ExitContainer(NamedTuple):
    """End the container.

    Attributes:
        crashed: the algorithm process died by itself: report, and end at once.
    """

    code: int
    crashed: bool = False


Action = Send | Forward | Deliver | DropKeptMessages | KillAlgorithm | Note | ExitContainer
