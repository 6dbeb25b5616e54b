"""Records the events of a run and builds its outcome from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Timer
from typing import Any

from ...local.worker import events
from ...protocol.messages import commands
from .outcome import Error, Outcome
from .spans import span_tree

Message = Mapping[str, Any]


@dataclass(frozen=True)
class StopAt:
    """When to stop the next run.

    Attributes:
        moment: Returns true for the message after which to stop.
        delay: Seconds from that message to the stop.
        force: True for a stop by a user, False for a scale-down.
    """

    moment: Callable[[Message], Any]
    delay: float = 0.0
    force: bool = True


class Recorder:
    """Listens to the local worker and keeps the events of one run.

    Args:
        stop: Stops the current run; its argument is `StopAt.force`.

    Attributes:
        connected: Whether the algorithm is connected to the worker.
    """

    def __init__(self, stop: Callable[[bool], None]) -> None:
        self.connected = False
        self._events: list[events.WorkerEvent] = []
        self._stop_at: StopAt | None = None
        self._stop = stop
        self._timer: Timer | None = None

    def begin(self, stop_at: StopAt | None) -> None:
        """Forget the previous run and start to record the next one.

        Args:
            stop_at: When to stop the run; None to let it finish.
        """
        self._events = []
        self._stop_at = stop_at

    def __call__(self, event: events.WorkerEvent) -> None:
        """Record an event, and stop the run if this is the moment."""
        if isinstance(event, events.Connected):
            self.connected = True
        elif isinstance(event, events.Disconnected):
            self.connected = False
        if event.task_id is None:
            return  # not part of a run
        self._events.append(event)
        stop_at = self._stop_at
        if (
            stop_at is not None
            and isinstance(event, events.MessageReceived)
            and stop_at.moment(event.message)
        ):
            self._stop_at = None
            if not stop_at.delay:
                self._stop(stop_at.force)  # before the next message is read, so there is no race
                return
            self._timer = Timer(stop_at.delay, self._stop, (stop_at.force,))
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """Cancel a stop that is still pending."""
        self._stop_at = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()

    def outcome(
        self, ended: events.Outcome, logs: list[str], raised: Mapping[str, BaseException]
    ) -> Outcome:
        """Build the outcome of the run.

        Args:
            ended: How the run ended for the worker.
            logs: The lines that the algorithm wrote.
            raised: The exceptions of its code, by the message that HKube received.
        """
        recorded = list(self._events)
        messages = [
            event.message for event in recorded if isinstance(event, events.MessageReceived)
        ]
        return Outcome(
            error=_error(ended, raised),
            stopped=isinstance(ended, events.Stopped),
            messages=[each for each in messages if each.get("command") not in _LEFT_OUT],
            progress=[event.value for event in recorded if isinstance(event, events.Progress)],
            spans=span_tree(recorded),
            calls=tuple(event.call for event in recorded if isinstance(event, events.CallStarted)),
            logs=logs,
            _result=ended.result if isinstance(ended, events.Done) else None,
        )


_LEFT_OUT = (commands.ALIVE, commands.STREAMING_STATISTICS, commands.LOG_DATA)


def _error(ended: events.Outcome, raised: Mapping[str, BaseException]) -> Error | None:
    if isinstance(ended, events.Failed):
        return Error(ended.code, ended.message, ended.details, raised.get(ended.message))
    if isinstance(ended, events.Lost):
        reason, _, details = ended.reason.partition("\n")
        return Error("Lost", reason, details)
    return None
