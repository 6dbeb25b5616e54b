"""The events that a task can meet, and the actions that the state machine returns."""

from __future__ import annotations

from typing import NamedTuple

Payload = bytes | bytearray


# ------------------------------------------------------------- from the worker --
class InitializeReceived(NamedTuple):
    """The worker begins a task; the frame is its whole message."""

    frame: Payload


class StartReceived(NamedTuple):
    """The worker asks to run the task."""

    frame: Payload


class StopReceived(NamedTuple):
    """The worker asks to stop the task or, in IDLE, announces that the pod will be removed.

    Attributes:
        frame: the worker's message.
        is_drain: a streaming node ends gracefully: user code may finish what it does.
    """

    frame: Payload
    is_drain: bool = False


class ExitReceived(NamedTuple):
    """The worker asks to end the container with this exit code."""

    code: int
    frame: Payload


class AnswerReceived(NamedTuple):
    """The worker answers a call of user code."""

    frame: Payload


# -------------------------------------------------- from the algorithm process --
class ModuleLoaded(NamedTuple):
    """The user's module was loaded, or failed to load.

    Attributes:
        has_stop: it has a `stop` function.
        has_initialize: wait for `initialize`: the module has one, or it failed to load, which is
            reported in reply to `initialize`.
    """

    has_stop: bool
    has_initialize: bool


class InitializeCompleted(NamedTuple):
    """The user's `initialize` has returned."""

    generation: int


class FinalMessage(NamedTuple):
    """The task's final message: `done` or `errorMessage`."""

    generation: int
    message: Payload


class StopCompleted(NamedTuple):
    """The algorithm process has carried out a stop: the user's code has returned."""

    generation: int


class UserMessage(NamedTuple):
    """User code sends the worker something: progress, a span, a call."""

    generation: int
    message: Payload


class AlgorithmDied(NamedTuple):
    """The algorithm process died; the code is the exit code that the container would have."""

    code: int


# -------------------------------------------------------------- from elsewhere --
class ConnectionLost(NamedTuple):
    """The connection to the worker is lost.

    Attributes:
        worker_waits: the worker keeps its state and waits for us to come back, as in DEV_MODE and
            at the debug gateway. Otherwise the loss is a crash for HKube, which runs the task
            again; whoever we connect to next knows nothing of it.
    """

    worker_waits: bool


class SigtermReceived(NamedTuple):
    """The supervisor received SIGTERM or SIGINT."""


class CodeChanged(NamedTuple):
    """In DEV_MODE, the code in the algorithm's folder changed."""


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
    | ConnectionLost
    | SigtermReceived
    | CodeChanged
)


# --------------------------------------------------------------------- actions --
class Send(NamedTuple):
    """Send the worker a message that has a command and no data."""

    command: str


class Forward(NamedTuple):
    """Forward to the worker a message that the algorithm process has encoded.

    Attributes:
        final: it is the task's final message, which must survive a lost connection.
    """

    message: Payload
    final: bool


class Deliver(NamedTuple):
    """Write a frame to the algorithm process."""

    kind: int
    generation: int
    payload: Payload


class DropKeptMessages(NamedTuple):
    """Drop the messages kept for a worker that was unreachable: another task begins."""


class KillAlgorithm(NamedTuple):
    """Kill the algorithm process and its process group.

    Attributes:
        reason: for the log.
        stuck: log the stacks of its threads first.
        respawn: start a new algorithm process.
    """

    reason: str
    stuck: bool
    respawn: bool


class Note(NamedTuple):
    """Write a line to the log."""

    level: str
    text: str


class ExitContainer(NamedTuple):
    """End the container.

    Attributes:
        crashed: the algorithm process died by itself: report the crash and end at once.
    """

    code: int
    crashed: bool = False


Action = Send | Forward | Deliver | DropKeptMessages | KillAlgorithm | Note | ExitContainer
