"""Messages through HKube's debug gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wrapper.algorithm.streaming.gateway_transport import GatewayTransport
from wrapper.algorithm.streaming.stream import MessageStream


class Link:
    """Keeps what goes to the worker."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    def send(self, message: Mapping[str, Any], subject: str) -> None:
        self.sent.append((message["command"], message["data"]))


def test_answer_belongs_to_the_message_in_hand() -> None:
    link = Link()
    stream = MessageStream(GatewayTransport(link), lambda error: None)
    for number in ("m1", "m2"):
        stream.receive_from_gateway({"sendMessageId": number, "payload": 5, "origin": "A"})
    stream.send("before")
    for message in stream.messages():
        stream.send(message.value)
        stream.send("named", "x")
        if len(link.sent) > 5:
            stream.end_input()
    out, done = "streamingOutMessage", "streamingInMessageDone"
    assert link.sent == [
        (out, {"message": "before", "flowName": None}),
        (out, {"message": 5, "flowName": None, "sendMessageId": "m1"}),
        (out, {"message": "named", "flowName": "x"}),
        (done, {"sendMessageId": "m1"}),
        (out, {"message": 5, "flowName": None, "sendMessageId": "m2"}),
        (out, {"message": "named", "flowName": "x"}),
        (done, {"sendMessageId": "m2"}),
    ]


def test_done_is_sent_although_a_listener_fails() -> None:
    link = Link()
    errors: list[BaseException] = []
    stream = MessageStream(GatewayTransport(link), errors.append)

    def fail(message: Any, origin: str) -> None:
        raise ValueError(origin)

    stream.register(fail)
    stream.listen()
    stream.receive_from_gateway({"sendMessageId": "m1", "payload": 5, "origin": "A"})
    stream.stop(force=False)
    assert link.sent == [("streamingInMessageDone", {"sendMessageId": "m1"})]
    assert str(errors[0]) == "A"


def test_statistics_are_unknown() -> None:
    statistics = GatewayTransport(Link()).statistics()
    assert statistics["binarySize"] == -1
    assert statistics["statisticsPerNode"][0]["queueSize"] == -1
