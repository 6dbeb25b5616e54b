"""The rules of the real worker, checked after every test.

The rules read the record of a session afterwards; they hold no clock and no socket.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .events import CONNECTED, DISCONNECTED, JUNK, RECEIVED, SENT, Message

DEAD_MAN_SECONDS = 10.0
STOP_SECONDS = 10.0
FINALS = ("done", "errorMessage")
ANY_TIME = ("logData", "servingStatus")
STEERING = (b"initialize", b"start", b"stop", b"exit")


@dataclass
class _Session:
    """The real worker's view of its algorithm, as far as the rules need it."""

    faults: list[str] = field(default_factory=list)
    open_links: int = 0
    tasks: int = 0
    # Tasks that have not ended. There is more than one after an `initialize` during a task;
    # messages do not name their task, so they then count for either.
    outstanding: int = 0
    start_sent: bool = False
    loose: bool = False  # junk looked like a command: the rules cannot be checked after it
    leaving: bool = False
    alive_at: float | None = None
    stops: list[tuple[float, int]] = field(default_factory=list)  # the time and the task
    # Stops on a lost connection, or in junk, may be answered or not. The answers come before the
    # `initialized` of the next task.
    lost_stops: bool = False

    def fault(self, message: Message, text: str) -> None:
        if not (self.loose or self.leaving):
            self.faults.append(f"{text}: {message}")


def violations(events: Iterable[Message], until: float) -> list[str]:
    """Return the rules that a session broke.

    Args:
        events: the record of the session, oldest first.
        until: the time at which the record ends, in seconds of its clock.

    Returns:
        One sentence for each broken rule; empty when all was well.
    """
    session = _Session()
    for event in events:
        if event.kind in (CONNECTED, DISCONNECTED):
            _link(session, event)
        elif event.kind == SENT:
            _sent(session, event)
        elif event.kind == JUNK:
            raw = event.raw if isinstance(event.raw, bytes) else event.raw.encode()
            session.loose |= any(name in raw for name in STEERING)
            session.lost_stops |= session.loose
        elif event.kind == RECEIVED:
            _received(session, event)
    if session.open_links and not session.leaving:
        end = Message(until, "end of the test")
        _check_alive(session, end)
        _check_stops(session, end)
    return session.faults


def _link(session: _Session, event: Message) -> None:
    session.open_links += 1 if event.kind == CONNECTED else -1
    session.alive_at = None
    session.lost_stops |= bool(session.stops)
    session.stops.clear()
    if session.open_links > 1:
        session.fault(event, "a second connection was opened before the first was closed")


def _sent(session: _Session, event: Message) -> None:
    if event.command == "initialize":
        session.loose = session.start_sent = False
        session.tasks += 1
        session.outstanding += 1
    elif event.command == "start":
        session.start_sent = True
    elif event.command == "stop":
        session.stops.append((event.time, session.tasks))
    elif event.command in ("exit", "alreadyConnectedError"):
        session.leaving = True


def _received(session: _Session, event: Message) -> None:
    _check_alive(session, event)
    _check_stops(session, event)
    if event.command in ANY_TIME:
        return
    if event.command == "stopped":
        _stopped(session, event)
        return
    if event.command == "stopping":
        if not session.stops:
            session.fault(event, "`stopping` though no stop is waiting")
        session.stops = [(event.time, task) for _, task in session.stops]
        return
    if event.command == "initialized":
        session.lost_stops = False
    if not session.outstanding:
        session.fault(event, "sent though no task runs")
    elif event.command == "alive":
        session.alive_at = event.time
    elif event.command in FINALS:
        _final(session, event)


def _stopped(session: _Session, event: Message) -> None:
    """One `stopped` answers all stops of the task that was stopped first."""
    session.alive_at = None
    if not (session.stops or session.lost_stops) and session.outstanding:
        session.fault(event, "`stopped` though no stop waits: the task counts as done")
    if session.stops:
        stopped = session.stops[0][1]
        session.stops = [stop for stop in session.stops if stop[1] != stopped]
        # Tasks sent after the stop wait for their turn.
        session.outstanding = min(session.outstanding, session.tasks - stopped)


def _final(session: _Session, event: Message) -> None:
    if event.command == "done" and not session.start_sent and session.outstanding == 1:
        session.fault(event, "done though the task was not started")
    session.outstanding -= 1
    session.alive_at = None


def _check_alive(session: _Session, event: Message) -> None:
    if session.alive_at is not None and event.time - session.alive_at > DEAD_MAN_SECONDS:
        silence = event.time - session.alive_at
        session.fault(event, f"no `alive` for {silence:.1f} s, the worker gives the task up")
        session.alive_at = event.time


def _check_stops(session: _Session, event: Message) -> None:
    for stop in [stop for stop in session.stops if event.time - stop[0] > STOP_SECONDS]:
        session.stops.remove(stop)
        session.fault(event, f"a stop was not answered within {STOP_SECONDS:.0f} s: {stop[0]:.3f}")
