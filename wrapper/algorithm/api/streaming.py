"""The streaming part of HKubeApi: messages between the nodes of a streaming pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import StreamingError

if TYPE_CHECKING:
    from ..streaming.stream import MessageIterator, MessageStream


class StreamingApi:
    """Sends and receives messages.

    Args:
        stream: of the task; None: the task is not a part of a streaming pipeline.
    """

    def __init__(self, stream: MessageStream | None) -> None:
        self._stream = stream

    @property
    def SKIP(self) -> object:
        """Return this from a stateless ``start`` to send nothing to the next nodes."""
        from ..streaming.message import SKIP

        return SKIP

    def send_message(self, value: Any, flow: str | None = None) -> None:
        """Send a message to the next nodes of its flow; does not wait until they have it.

        While a message that arrived is being handled, the new one goes on along the flow of that
        message. Elsewhere it takes the pipeline's default flow.

        Args:
            value: anything that a result may hold.
            flow: name of the flow that the message begins.

        Raises:
            StreamingError: the node has no next nodes, or there is no such flow.
            EncodingError: the value holds something that cannot be sent.
        """
        self._streaming("send a message").send(value, flow)

    def register_input_listener(self, on_message: Callable[[Any, str], Any]) -> None:
        """Have a function called with each message, once `start_message_listening` was called.

        All functions that were registered are called, one message after another, in a thread of
        the wrapper. What they raise is logged, and the message counts as handled.

        Args:
            on_message: takes the message and the name of the node that sent it.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        self._streaming("register a listener").register(on_message)

    def start_message_listening(self) -> None:
        """Begin to receive messages; returns at once.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        self._streaming("listen to messages").listen()

    def stop_streaming(self, force: bool = True) -> None:
        """Cease to receive messages and forget the listeners.

        What was sent is still handed over, and sending goes on to work.

        Args:
            force: False waits until the listeners have handled the message in work.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        self._streaming("stop streaming").stop(force)

    @property
    def is_listening_to_messages(self) -> bool:
        """Whether messages are received."""
        return self._stream is not None and self._stream.is_listening

    def messages(self) -> MessageIterator:
        """Receive messages in a loop, in place of listeners: ``for`` or ``async for``.

        A message counts as handled when the loop asks for the next one. The loop ends when HKube
        stops the task.

        Example:
            >>> for message in hkube_api.messages():
            ...     message.send(message.value * 2)

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        return self._streaming("receive messages").messages()

    def streaming_statistics(self) -> dict[str, Any]:
        """The size of the queue and what became of the messages.

        Returns:
            A dictionary: ``binarySize`` and ``configuredMaxBinarySize`` in bytes, and
            ``statisticsPerNode``, a list of dictionaries with ``nodeName``, ``sent``,
            ``queueSize`` and ``dropped``. In a debug task, whose messages wait in HKube, each
            number is -1.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        return self._streaming("ask for statistics").transport.statistics()

    def reset_queue(self) -> None:
        """Drop every message that no node has fetched yet.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        self._streaming("reset the queue").transport.reset(None)

    def reset_queue_partial(self, count: int) -> None:
        """Drop the oldest messages that no node has fetched yet.

        Args:
            count: how many.

        Raises:
            StreamingError: the task is not a part of a streaming pipeline.
        """
        self._streaming("reset the queue").transport.reset(count)

    # The names of HKube's Python wrapper.
    def sendMessage(self, msg: Any, flowName: str | None = None) -> None:
        """The same as `send_message`."""
        self.send_message(msg, flowName)

    def registerInputListener(self, onMessage: Callable[[Any, str], Any]) -> None:
        """The same as `register_input_listener`."""
        self.register_input_listener(onMessage)

    def startMessageListening(self) -> None:
        """The same as `start_message_listening`."""
        self.start_message_listening()

    def stopStreaming(self, force: bool = True) -> None:
        """The same as `stop_streaming`."""
        self.stop_streaming(force)

    def isListeningToMessages(self) -> bool:
        """The same as `is_listening_to_messages`."""
        return self.is_listening_to_messages

    def get_streaming_statistics(self) -> dict[str, Any]:
        """The same as `streaming_statistics`."""
        return self.streaming_statistics()

    def resetQueue(self) -> None:
        """The same as `reset_queue`."""
        self.reset_queue()

    def resetQueuePartial(self, numberOfMessagesToRemove: int) -> None:
        """The same as `reset_queue_partial`."""
        self.reset_queue_partial(numberOfMessagesToRemove)

    def _streaming(self, what: str) -> MessageStream:
        if self._stream is None:
            raise StreamingError(
                f"cannot {what}: this task is not a part of a streaming pipeline (Trying to send "
                "a message from a none stream pipeline or after close had been applied on "
                "algorithm)"
            )
        return self._stream
