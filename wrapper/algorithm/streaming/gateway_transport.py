"""Messages leave and enter the algorithm process through HKube's debug gateway."""

from __future__ import annotations

from threading import get_ident
from typing import Any

from ...streaming.flows import Hops
from .transport import ArrivedMessage, WorkerMessages


class GatewayTransport:
    """Sends messages through HKube's debug gateway, which passes them on to the pipeline.

    Args:
        link: sends messages to the worker.
    """

    def __init__(self, link: WorkerMessages) -> None:
        self._link = link
        # The message in work: what is sent meanwhile follows its flow.
        self._in_work: dict[int, Any] = {}

    def send(self, value: Any, flow_name: str | None, hops: Hops | None) -> None:
        data: dict[str, Any] = {"message": value, "flowName": flow_name}
        in_work = self._in_work.get(get_ident())
        if in_work is not None and flow_name is None:
            data["sendMessageId"] = in_work
        self._link.send({"command": "streamingOutMessage", "data": data}, "message")

    def began(self, message: ArrivedMessage) -> None:
        """A message's handlers run now, on this thread."""
        self._in_work[get_ident()] = message.delivery

    def listen(self, listening: bool) -> None:
        pass  # the gateway sends messages by itself

    def handled(self, message: ArrivedMessage, milliseconds: float) -> None:
        self._in_work.pop(get_ident(), None)
        data = {"sendMessageId": message.delivery}
        self._link.send({"command": "streamingInMessageDone", "data": data}, "message")

    def reset(self, count: int | None) -> None:
        pass  # nothing waits here

    def statistics(self) -> dict[str, Any]:
        node = {"nodeName": "", "sent": -1, "queueSize": -1, "dropped": -1}
        return {"binarySize": -1, "configuredMaxBinarySize": -1, "statisticsPerNode": [node]}

    def close(self) -> None:
        pass
