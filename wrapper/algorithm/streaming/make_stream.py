"""From a task's data to its stream, if it has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...streaming.flows import read_flows
from ...streaming.job import STREAM_KIND
from .gateway_transport import GatewayTransport
from .stream import MessageStream
from .supervisor_transport import SupervisorTransport
from .transport import FramePipe, WorkerMessages

if TYPE_CHECKING:
    from ...protocol.encoding.encoding import Encoding


def make_stream(
    pipes: FramePipe,
    generation: int,
    data: Mapping[str, Any],
    link: WorkerMessages,
    encoding: Encoding | None,
    warn: Callable[[str], None],
) -> MessageStream:
    """Make the stream of a task.

    Args:
        pipes: lead to the supervisor.
        generation: of the task.
        data: of its `initialize` message.
        link: sends messages to the worker.
        encoding: of values between nodes; None in mode v1, where the debug gateway carries them.
        warn: writes a line to the log.
    """

    def report(error: BaseException) -> None:
        from ..errors.report import report_exception

        warn(f"streaming: a listener failed: {report_exception(error).message}")

    if encoding is not None and data.get("kind") == STREAM_KIND:
        return MessageStream(
            SupervisorTransport(pipes, generation, data, encoding, warn, read_flows(data)), report
        )
    return MessageStream(GatewayTransport(link), report)
