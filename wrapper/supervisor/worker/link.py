"""Decisions about the link to the worker: when to connect, when to send, when to give up.

No socket, clock or thread is used here. The caller passes the time (seconds, monotonic), reports
what happened to the connection, and does what `tick` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from .back_off import BackOff, jitter

if TYPE_CHECKING:
    from ...config.settings import Config

# After a reconnection the worker has this long (seconds) to start another task. Only then is it
# sent the end of the previous one: messages carry no task id.
SETTLE_AFTER = 1.0
PING_EVERY = 20.0
_UNANSWERED_PINGS = 3


class LinkSettings(NamedTuple):
    """How patient the link is.

    Attributes:
        give_up_after: seconds after a loss; None: keep trying.
        pings: send pings, so that a socket.io server, or the proxies in front of a debug gateway,
            keep the connection open.
        max_payload: size in bytes of the largest message that the worker accepts.
        worker_waits: the worker keeps its state over a lost connection (DEV_MODE, debug). Otherwise
            a loss is a crash for HKube, and whoever is there later is another worker.
        silent_for: seconds after the opening of a connection before the first message of a task.
        is_local: the worker is on this machine.
    """

    give_up_after: float | None
    pings: bool
    max_payload: int
    worker_waits: bool = False
    silent_for: float = 0.0
    is_local: bool = False

    @classmethod
    def of(cls, config: Config, is_local: bool) -> LinkSettings:
        """Return what the settings make of it."""
        worker_waits = config.dev_mode or config.debug
        return cls(
            give_up_after=None if worker_waits else config.reconnect_timeout,
            pings=config.debug or config.socketio,
            max_payload=config.max_payload,
            worker_waits=worker_waits,
            silent_for=0.0 if config.debug else config.first_initialized_delay,
            is_local=is_local,
        )


class LinkAction(Enum):
    """What the caller has to do."""

    CONNECT = "open a connection, without waiting"
    SEND_WAITING = "send what waits"
    PING = "send a ping"
    DISCONNECT = "close the connection: the worker does not answer pings"
    GIVE_UP = "the worker has not come back in time"


class WorkerLink:
    """Decides for one worker, over all of its connections.

    Args:
        settings: limits and times.
        rand: returns a random number between 0 and 1.

    Attributes:
        is_ending: the container ends: a lost connection is not opened again.
        may_send: messages of tasks can be sent now; otherwise they wait.
    """

    def __init__(self, settings: LinkSettings, rand: Callable[[], float] = jitter) -> None:
        self.is_ending = False
        self.may_send = False
        self._settings = settings
        self._back_off = BackOff(rand)
        self._times = _Times()

    # -------------------------------------------------------------------- the connection --
    def opened(self, now: float, has_old_messages: bool, ping_every: float = PING_EVERY) -> None:
        """Note that a connection is open.

        Args:
            now: the time.
            has_old_messages: a task of an earlier connection has messages for the worker, or will.
            ping_every: seconds between two pings, if any are sent.
        """
        times = self._times
        if times.lost is not None and has_old_messages:
            times.settled = now + SETTLE_AFTER
        if self._settings.silent_for:
            times.silent = now + self._settings.silent_for
        self._decide_sending()
        self._back_off.something_listens()
        times.opened, times.lost, times.retry = now, None, None
        times.ping_every = ping_every
        times.ping = now + ping_every if self._settings.pings else None
        times.received = now

    def _decide_sending(self) -> None:
        self.may_send = self._times.settled is None and self._times.silent is None

    def refused(self, now: float, nothing_listens: bool = False) -> None:
        """Note that a connection could not be opened: try again later."""
        if nothing_listens and self._settings.is_local:
            delay = self._back_off.local_delay(now)
        else:
            self._back_off.something_listens()
            delay = self._back_off.next_delay()
        self._times.retry = None if self.is_ending else now + delay

    def closed(self, now: float) -> None:
        """Note that the connection is closed."""
        self.may_send = False
        times = self._times
        self._back_off.connected_for(now - times.opened)
        times.lost = None if self.is_ending else now
        times.settled = times.silent = times.ping = None
        self.refused(now)

    def task_begins(self) -> None:
        """Note that the worker begins another task: nothing of an earlier one waits any more."""
        if self._times.settled is not None:
            self._times.settled = None
            self._decide_sending()

    def end(self) -> None:
        """Note that the container is ending: a lost connection is not opened again."""
        self.is_ending = True
        self._times.retry = self._times.lost = None

    def received(self, now: float) -> None:
        """Note that the worker has sent something."""
        self._times.received = now

    # ------------------------------------------------------------------------------ time --
    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: there is nothing to wait for."""
        times = self._times
        earliest = self._give_up_at()
        for at in (times.retry, times.settled, times.silent, times.ping):
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def tick(self, now: float) -> list[LinkAction]:
        """Return what is due at `now`, in order."""
        times = self._times
        give_up = self._give_up_at()
        if give_up is not None and now >= give_up:
            return [LinkAction.GIVE_UP]
        actions = []
        if times.retry is not None and now >= times.retry:
            times.retry = None
            actions.append(LinkAction.CONNECT)
        if self._end_waits(now):
            actions.append(LinkAction.SEND_WAITING)
        if times.ping is not None and now >= times.ping:
            times.ping = now + times.ping_every
            is_silent = now - times.received > times.ping_every * _UNANSWERED_PINGS
            actions.append(LinkAction.DISCONNECT if is_silent else LinkAction.PING)
        return actions

    def _give_up_at(self) -> float | None:
        if self._times.lost is None or self._settings.give_up_after is None:
            return None
        return self._times.lost + self._settings.give_up_after

    def _end_waits(self, now: float) -> bool:
        """End the waits that are over; return whether messages can be sent since."""
        times = self._times
        is_over = False
        if times.settled is not None and now >= times.settled:
            times.settled, is_over = None, True
        if times.silent is not None and now >= times.silent:
            times.silent, is_over = None, True
        if is_over:
            self._decide_sending()
        return is_over and self.may_send


class _Times:
    """Moments on the caller's clock, seconds; None: not applicable now.

    Attributes:
        opened: when the connection was opened.
        received: when the worker last sent something.
        lost: when the last connection ended, if no other is open.
        retry: when to try to connect again.
        settled: when the worker has had the time to begin another task.
        silent: until when the worker is sent no message of a task.
        ping: when to send the next ping.
        ping_every: seconds between two pings.
    """

    def __init__(self) -> None:
        self.opened = 0.0
        self.received = 0.0
        self.lost: float | None = None
        self.retry: float | None = None
        self.settled: float | None = None
        self.silent: float | None = None
        self.ping: float | None = None
        self.ping_every = PING_EVERY
