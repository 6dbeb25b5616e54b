"""Remembering what the local worker tells of a run."""

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
    """When the next run is to be stopped.

    Attributes:
        moment: tells the message of the algorithm's side that it is stopped after.
        delay: seconds from that message.
        force: True as for a user's stop, False as for a scale-down.
    """

    moment: Callable[[Message], Any]
    delay: float = 0.0
    force: bool = True


class Recorder:
    """A listener of the local worker, which keeps the events of one run.

    Attributes:
        connected: the algorithm's side is connected.
    """

    def __init__(self, stop: Callable[[bool], None]) -> None:
        self.connected = False
        self._events: list[events.WorkerEvent] = []
        self._stop_at: StopAt | None = None
        self._stop = stop
        self._timer: Timer | None = None

    def begin(self, stop_at: StopAt | None) -> None:
        """A run begins.

        Args:
            stop_at: when it is to be stopped; None: never.
        """
        self._events = []
        self._stop_at = stop_at

    def __call__(self, event: events.WorkerEvent) -> None:
        """Hear an event."""
        if isinstance(event, events.Connected):
            self.connected = True
        elif isinstance(event, events.Disconnected):
            self.connected = False
        if event.task_id is None:
            return  # nothing of a run
        self._events.append(event)
        stop_at = self._stop_at
        if (
            stop_at is not None
            and isinstance(event, events.MessageCame)
            and stop_at.moment(event.message)
        ):
            self._stop_at = None
            if not stop_at.delay:
                self._stop(stop_at.force)  # before the next message is looked at: it is no race
                return
            self._timer = Timer(stop_at.delay, self._stop, (stop_at.force,))
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """The run is over."""
        self._stop_at = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            timer.join()

    def outcome(
        self, ended: events.Outcome, logs: list[str], raised: Mapping[str, BaseException]
    ) -> Outcome:
        """Put together what came of the run.

        Args:
            ended: how the worker saw it end.
            logs: the lines that the algorithm wrote.
            raised: what its code raised, by the message that HKube was told of it.
        """
        recorded = list(self._events)
        messages = [event.message for event in recorded if isinstance(event, events.MessageCame)]
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


_LEFT_OUT = (commands.ALIVE, commands.LOG_DATA)


def _error(ended: events.Outcome, raised: Mapping[str, BaseException]) -> Error | None:
    if isinstance(ended, events.Failed):
        return Error(ended.code, ended.message, ended.details, raised.get(ended.message))
    if isinstance(ended, events.Lost):
        reason, _, details = ended.reason.partition("\n")
        return Error("Lost", reason, details)
    return None
