"""The streaming part of HKubeApi, which is still to come."""

from __future__ import annotations

from typing import Any, NoReturn


class StreamingToCome:
    """The streaming names that published algorithms use: each says that it does nothing yet."""

    def sendMessage(self, msg: Any, flowName: str | None = None) -> NoReturn:
        """Not yet supported: send a message to the next nodes of a streaming pipeline."""
        _to_come("sendMessage")

    def registerInputListener(self, onMessage: Any) -> NoReturn:
        """Not yet supported: have `onMessage` called with each message of a streaming pipeline."""
        _to_come("registerInputListener")

    def startMessageListening(self) -> NoReturn:
        """Not yet supported: begin to receive the messages of a streaming pipeline."""
        _to_come("startMessageListening")

    def stopStreaming(self, force: bool = True) -> NoReturn:
        """Not yet supported: end the receiving of messages."""
        _to_come("stopStreaming")

    def isListeningToMessages(self) -> NoReturn:
        """Not yet supported: whether messages are received."""
        _to_come("isListeningToMessages")

    def get_streaming_statistics(self) -> NoReturn:
        """Not yet supported: how many messages were sent, queued and dropped."""
        _to_come("get_streaming_statistics")

    def resetQueue(self) -> NoReturn:
        """Not yet supported: drop every message that waits to be sent."""
        _to_come("resetQueue")

    def resetQueuePartial(self, numberOfMessagesToRemove: int) -> NoReturn:
        """Not yet supported: drop the oldest messages that wait to be sent."""
        _to_come("resetQueuePartial")


def _to_come(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name}: this version of the wrapper runs batch pipelines only; streaming is to come"
    )
