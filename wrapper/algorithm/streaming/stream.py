"""Streaming of one task: listeners, iteration and the calls of a stateless `start`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from ...errors import StreamingError
from ...streaming.flows import Hops
from .gateway_transport import GatewayTransport
from .message import CURRENT_MESSAGE, SKIP, StreamMessage
from .supervisor_transport import SupervisorTransport
from .transport import ArrivedMessage, Transport

if TYPE_CHECKING:
    import asyncio

Listener = Callable[[Any, str], Any]


class MessageStream:
    """What HKubeApi's streaming calls do in one task.

    Args:
        transport: sends messages and reports.
        report_error: called with what a listener raised; the message counts as handled.
    """

    def __init__(self, transport: Transport, report_error: Callable[[BaseException], None]) -> None:
        self.transport = transport
        self._report_error = report_error
        self._listeners: list[Listener] = []
        self._inbox: SimpleQueue[ArrivedMessage | None] = SimpleQueue()
        self._handler: Thread | None = None
        self._is_listening = False
        self._has_ended = False  # no more messages come
        self._is_over = False
        self._wake: Callable[[], object] | None = None  # an `async for` that waits

    # ----------------------------------------------------------------------------- sending --
    def send(self, value: Any, flow_name: str | None = None) -> None:
        """Send a value to the next nodes; see `HKubeApi.sendMessage`."""
        if self._is_over:
            raise StreamingError(
                "Trying to send a message from a none stream pipeline or after close had been "
                "applied on algorithm"
            )
        current = CURRENT_MESSAGE.get()
        hops = current.flow if current is not None and flow_name is None else None
        self.transport.send(value, flow_name, hops)

    def send_along(self, value: Any, hops: Hops) -> None:
        """Send a value along the flow of a message that arrived."""
        self.transport.send(value, None, hops)

    # --------------------------------------------------------------------------- receiving --
    def register(self, listener: Listener) -> None:
        """Have a function called with each message."""
        self._listeners.append(listener)

    def listen(self) -> None:
        """Begin to receive, and call the listeners in a thread of their own."""
        if self._handler is None or not self._handler.is_alive():
            self._handler = Thread(target=self._handle_all, name="hkube-stream", daemon=True)
            self._is_listening = True
            self._handler.start()
            self.transport.listen(True)
        elif not self._is_listening:
            self._is_listening = True
            self.transport.listen(True)

    @property
    def is_listening(self) -> bool:
        """Whether messages are received."""
        return self._is_listening

    def stop(self, force: bool) -> None:
        """Cease to receive; without `force`, wait for the listeners of the message in work."""
        was_listening, self._is_listening = self._is_listening, False
        if was_listening:
            self.transport.listen(False)
        handler, self._handler = self._handler, None
        if handler is not None and handler.is_alive():
            self._inbox.put(None)
            from threading import current_thread

            if not force and handler is not current_thread():
                handler.join()
        self._listeners.clear()

    def received(self, message: ArrivedMessage) -> None:
        """A message has arrived; from the listening thread."""
        if self._has_ended:
            return
        self._inbox.put(message)
        if self._wake is not None:
            self._wake()

    def receive_frame(self, payload: bytes | bytearray) -> None:
        """A message has come from the supervisor; from the listening thread."""
        transport = self.transport
        if isinstance(transport, SupervisorTransport):
            message = transport.decode(payload)
            if message is not None:
                self.received(message)

    def receive_from_gateway(self, data: Any) -> None:
        """A message has come from the debug gateway; from the listening thread."""
        if isinstance(data, dict):
            origin = str(data.get("origin") or "")
            self.received(
                ArrivedMessage(data.get("sendMessageId"), data.get("payload"), origin, [])
            )

    def take_reply(self, payload: bytes | bytearray) -> None:
        """A reply of the supervisor has come; from the listening thread."""
        if isinstance(self.transport, SupervisorTransport):
            self.transport.take_reply(payload)

    def end_input(self) -> None:
        """HKube stops the task: wake whoever waits for a message, or for room in the queue."""
        self._has_ended = True
        self._is_listening = False
        self.transport.close()
        self._inbox.put(None)
        if self._wake is not None:
            self._wake()

    def end(self) -> None:
        """The task is over: nothing can be sent any more."""
        self._is_over = True
        self.end_input()

    def _handle_all(self) -> None:
        while True:
            received = self._inbox.get()
            if received is None:
                return
            with self._in_work(received) as message:
                for listener in list(self._listeners):
                    try:
                        listener(message.value, message.origin)
                    except Exception as error:
                        self._report_error(error)

    @contextmanager
    def _in_work(self, received: ArrivedMessage) -> Iterator[StreamMessage]:
        """Handle a message: what is sent meanwhile follows its flow."""
        message = StreamMessage(received.value, received.origin, received.flow, self.send_along)
        if isinstance(self.transport, GatewayTransport):
            self.transport.began(received)
        token = CURRENT_MESSAGE.set(message)
        began = time.perf_counter()
        try:
            yield message
        finally:
            CURRENT_MESSAGE.reset(token)
            self.transport.handled(received, (time.perf_counter() - began) * 1000)

    # --------------------------------------------------------------------------- stateless --
    def run_stateless(
        self,
        start: Callable[[dict[str, Any]], Any],
        data: dict[str, Any],
        sends_results: bool,
    ) -> None:
        """Call a stateless `start` with each message until the task is stopped.

        Args:
            start: calls the user's function with a task's data; returns its result.
            data: of the task; each call gets a copy with ``streamInput``.
            sends_results: the node has children, which get what `start` returns.
        """
        self._is_listening = True
        self.transport.listen(True)
        while True:
            received = self._inbox.get()
            if received is None:
                return
            with self._in_work(received) as message:
                stream_input = {"message": message.value, "origin": message.origin}
                result = start({**data, "streamInput": stream_input})
                if sends_results and result is not SKIP:
                    self.send_along(result, message.flow)

    # --------------------------------------------------------------------------- iteration --
    def messages(self) -> MessageIterator:
        """Messages to be handled in a loop."""
        return MessageIterator(self)

    def _next(self) -> ArrivedMessage | None:
        if not self._is_listening and not self._has_ended:
            self._is_listening = True
            self.transport.listen(True)
        return self._inbox.get()

    async def _next_async(self) -> ArrivedMessage | None:
        import asyncio

        if not self._is_listening and not self._has_ended:
            self._is_listening = True
            self.transport.listen(True)
        arrived = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._wake = lambda: _call_soon(loop, arrived)
        try:
            while self._inbox.empty():
                await arrived.wait()
                arrived.clear()
        finally:
            self._wake = None
        return self._inbox.get_nowait()


class MessageIterator:
    """The messages of ``hkube_api.messages()``, for ``for`` and ``async for``.

    A message counts as handled when the next one is asked for, or the loop ends.
    """

    def __init__(self, stream: MessageStream) -> None:
        self._stream = stream
        self._received: ArrivedMessage | None = None
        self._began = 0.0

    def __iter__(self) -> MessageIterator:
        return self

    def __aiter__(self) -> MessageIterator:
        return self

    def __next__(self) -> StreamMessage:
        self._finish()
        received = self._stream._next()
        if received is None:
            raise StopIteration
        return self._begin(received)

    async def __anext__(self) -> StreamMessage:
        self._finish()
        received = await self._stream._next_async()
        if received is None:
            raise StopAsyncIteration
        return self._begin(received)

    def close(self) -> None:
        """The message in hand is handled; messages are received no more."""
        self._finish()
        self._stream.stop(force=True)

    def __del__(self) -> None:
        self._finish()

    def _begin(self, received: ArrivedMessage) -> StreamMessage:
        stream = self._stream
        message = StreamMessage(received.value, received.origin, received.flow, stream.send_along)
        self._received = received
        self._began = time.perf_counter()
        if isinstance(stream.transport, GatewayTransport):
            stream.transport.began(received)
        CURRENT_MESSAGE.set(message)
        return message

    def _finish(self) -> None:
        received, self._received = self._received, None
        if received is not None:
            CURRENT_MESSAGE.set(None)
            milliseconds = (time.perf_counter() - self._began) * 1000
            self._stream.transport.handled(received, milliseconds)


def _call_soon(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event) -> None:
    try:
        loop.call_soon_threadsafe(arrived.set)
    except RuntimeError:
        pass  # the loop is closed
