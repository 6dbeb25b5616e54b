"""The streaming part of HKubeApi, which is not supported yet."""

from __future__ import annotations

from typing import Any, NoReturn


class StreamingApi:
    """The streaming methods of published algorithms. Each raises NotImplementedError for now."""

    def sendMessage(self, msg: Any, flowName: str | None = None) -> NoReturn:
        """Send a message to the next nodes of a streaming pipeline. Not supported yet.

        Args:
            msg: The message.
            flowName: The name of the flow to send it along, a ``str``.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("sendMessage")

    def registerInputListener(self, onMessage: Any) -> NoReturn:
        """Register a function that receives each message. Not supported yet.

        Args:
            onMessage: The function.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("registerInputListener")

    def startMessageListening(self) -> NoReturn:
        """Begin to receive messages. Not supported yet.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("startMessageListening")

    def stopStreaming(self, force: bool = True) -> NoReturn:
        """Stop receiving messages. Not supported yet.

        Args:
            force: Whether to stop without handling the messages that wait, a ``bool``.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("stopStreaming")

    def isListeningToMessages(self) -> NoReturn:
        """Return whether messages are received. Not supported yet.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("isListeningToMessages")

    def get_streaming_statistics(self) -> NoReturn:
        """Return how many messages were sent, queued and dropped. Not supported yet.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("get_streaming_statistics")

    def resetQueue(self) -> NoReturn:
        """Drop all messages that wait to be sent. Not supported yet.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("resetQueue")

    def resetQueuePartial(self, numberOfMessagesToRemove: int) -> NoReturn:
        """Drop the oldest messages that wait to be sent. Not supported yet.

        Args:
            numberOfMessagesToRemove: How many messages to drop, an ``int``.

        Raises:
            NotImplementedError: Always.
        """
        _not_supported("resetQueuePartial")


def _not_supported(name: str) -> NoReturn:
    raise NotImplementedError(
        f"{name}: this version of the wrapper runs batch pipelines only; streaming is not "
        "supported yet"
    )
