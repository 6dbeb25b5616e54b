"""Decisions about the link to the worker: when to connect, what to keep, what to send again.

No socket, clock or thread is used here. The caller passes the time (seconds, monotonic), reports
what happened to the connection, and does what `admit` and `tick` decide.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from .back_off import BackOff

# After a reconnection the worker has this long (seconds) to start another task. Only then is it
# sent the end of the previous one: messages carry no task id.
SETTLE_AFTER = 1.0
PING_EVERY = 20.0
_UNANSWERED_PINGS = 3
# The limit of what is kept while the worker is unreachable. A task's final message is always kept.
_MAX_KEPT_BYTES = 64 * 1024 * 1024

Payload = bytes | bytearray


class LinkSettings(NamedTuple):
    """How patient the link is.

    Attributes:
        give_up_after: seconds after a loss; None: keep trying.
        pings: send pings, so that proxies in front of a debug gateway keep the connection open.
        max_payload: size in bytes of the largest message that the worker accepts.
    """

    give_up_after: float | None
    pings: bool
    max_payload: int


class Admission(Enum):
    """What happens to a message."""

    SEND = "send it now"
    KEPT = "kept until the worker is back"
    SKIPPED = "not sent: it has no meaning later"
    REFUSED = "too large, or too much is kept already"


class LinkAction(Enum):
    """What the caller has to do."""

    CONNECT = "open a connection, without waiting"
    SEND_KEPT = "send what `take_kept` returns"
    PING = "send a ping"
    DISCONNECT = "close the connection: the worker does not answer pings"
    GIVE_UP = "the worker has not come back in time"


class WorkerLink:
    """Decides for one worker, over all of its connections.

    Args:
        settings: limits and times.
        rand: returns a random number between 0 and 1.
    """

    def __init__(self, settings: LinkSettings, rand: Callable[[], float] = random.random) -> None:
        self.is_ending = False
        self._settings = settings
        self._back_off = BackOff(rand)
        self._is_open = False
        self._kept: list[Payload] = []
        self._kept_bytes = 0
        self.in_flight: Payload | None = None  # a final message of which a part still waits
        self._times = _Times()

    # -------------------------------------------------------------------- the connection --
    def opened(self, now: float, task_under_way: bool) -> None:
        """Note that a connection is open.

        Args:
            now: the time.
            task_under_way: a task has not sent its final message yet.
        """
        self._is_open = True
        times = self._times
        if times.lost is not None and (task_under_way or self._kept):
            times.settled = now + SETTLE_AFTER
        times.opened, times.lost, times.retry = now, None, None
        times.ping = now + PING_EVERY if self._settings.pings else None
        times.received = now

    def refused(self, now: float) -> None:
        """Note that a connection could not be opened: try again later."""
        delay = self._back_off.next_delay()
        self._times.retry = None if self.is_ending else now + delay

    def closed(self, now: float, all_sent: bool) -> None:
        """Note that the connection is closed.

        Args:
            now: the time.
            all_sent: the kernel took everything that was sent.
        """
        self._is_open = False
        if self.in_flight is not None and not all_sent:
            self._kept.insert(0, self.in_flight)
        self.in_flight = None
        times = self._times
        self._back_off.connected_for(now - times.opened)
        times.lost = None if self.is_ending else now
        times.settled, times.ping = None, None
        self.refused(now)

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
        for at in (times.retry, times.settled, times.ping):
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
        if times.settled is not None and now >= times.settled:
            times.settled = None
            actions.append(LinkAction.SEND_KEPT)
        if times.ping is not None and now >= times.ping:
            times.ping = now + PING_EVERY
            is_silent = now - times.received > PING_EVERY * _UNANSWERED_PINGS
            actions.append(LinkAction.DISCONNECT if is_silent else LinkAction.PING)
        return actions

    def _give_up_at(self) -> float | None:
        if self._times.lost is None or self._settings.give_up_after is None:
            return None
        return self._times.lost + self._settings.give_up_after

    # -------------------------------------------------------------------------- messages --
    def admit(self, payload: Payload, keep: bool, final: bool = False) -> Admission:
        """Decide about a message, and keep it if it has to wait.

        Args:
            payload: the encoded message.
            keep: keep it while the worker is unreachable.
            final: it is the task's final message, which is kept whatever its size.
        """
        if len(payload) > self._settings.max_payload:
            return Admission.REFUSED
        if self._is_open and self._times.settled is None:
            return Admission.SEND
        if not keep:
            return Admission.SKIPPED
        if not final:
            if self._kept_bytes + len(payload) > _MAX_KEPT_BYTES:
                return Admission.REFUSED
            self._kept_bytes += len(payload)
        self._kept.append(payload)
        return Admission.KEPT

    def not_sent(self, payload: Payload) -> None:
        """Keep a message that a broken connection did not take at all."""
        self._kept.append(payload)

    def partly_sent(self, final: Payload) -> None:
        """Hold a final message until `flushed`: if the connection is lost, it is sent again."""
        self.in_flight = final

    def flushed(self) -> None:
        """Release the final message, which may be large: the kernel took all of it."""
        self.in_flight = None

    def take_kept(self) -> list[Payload]:
        """Return what is kept, to be sent now."""
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        self._times.settled = None
        return kept

    def forget_kept(self) -> None:
        """Drop what is kept: another task begins, and it belongs to the previous one."""
        self.take_kept()
        self.in_flight = None


class _Times:
    """Moments on the caller's clock, seconds; None: not applicable now.

    Attributes:
        opened: when the connection was opened.
        received: when the worker last sent something.
        lost: when the last connection ended, if no other is open.
        retry: when to try to connect again.
        settled: when to send what is kept.
        ping: when to send the next ping.
    """

    def __init__(self) -> None:
        self.opened = 0.0
        self.received = 0.0
        self.lost: float | None = None
        self.retry: float | None = None
        self.settled: float | None = None
        self.ping: float | None = None
