"""Keeps an algorithm's output in order with the worker's events, which come another way."""

from __future__ import annotations

from typing import final

from ...protocol.messages import commands
from ..worker import events
from .output_pump import OutputPump


@final
class OrderedOutput:
    """A listener that passes on, before each event, the output that was written before it.

    Lines that `start` prints may arrive before the algorithm's `started`; they are held until then.
    """

    def __init__(self, pump: OutputPump, listener: events.Listener) -> None:
        """Prepare a listener.

        Args:
            pump: carries the algorithm's output.
            listener: receives the events.
        """
        self._pump = pump
        self._listener = listener

    def __call__(self, event: events.WorkerEvent) -> None:
        """Pass on output, then the event."""
        match event:
            case events.Sent(command=commands.START):
                self._pump.drain()
                self._pump.hold()
                self._listener(event)
            case events.Received(command=commands.STARTED):
                self._listener(event)
                self._pump.release()
            case events.Received(command=commands.INITIALIZED) | events.TaskCompleted():
                self._pump.drain()
                self._listener(event)
            case events.Progress() | events.CallStarted() | events.CallAnswered():
                self._pump.drain(end_line=False)
                self._listener(event)
            case _:
                self._listener(event)
