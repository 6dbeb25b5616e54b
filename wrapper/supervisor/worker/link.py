"""The link to the worker over all of its connections: reconnecting, and what must not get lost."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from .connection import Connection
from .connector import BackOff

# Seconds that a worker which is back has to begin another task, before it is told the end of
# the one it may still wait for: messages carry no task id.
SETTLE_AFTER = 1.0
PING_EVERY = 20.0
_PINGS_UNANSWERED = 3
# What is kept for a worker that is out of reach. The task's last word is kept whatever its size.
_MOST_HELD_BYTES = 64 * 1024 * 1024


class LinkSettings(NamedTuple):
    """How patient the link is.

    Attributes:
        give_up_after: seconds after a loss; None: try for ever.
        pings: send pings, for the proxies between us and a debug gateway.
        max_payload: bytes of the largest message the worker takes.
    """

    give_up_after: float | None
    pings: bool
    max_payload: int


class WorkerLink:
    """Sends to the worker, and keeps what is sent while it is out of reach.

    Args:
        settings: see there.
        connect: begins to open a connection, without waiting.
    """

    def __init__(
        self,
        settings: LinkSettings,
        connect: Callable[[], None],
        rand: Callable[[], float] = random.random,
    ) -> None:
        self.connection: Connection | None = None
        self.pings = settings.pings
        self._settings = settings
        self._connect = connect
        self._back_off = BackOff(rand)
        self._held: list[bytes | bytearray] = []
        self._held_bytes = 0
        self.unsent: bytes | bytearray | None = None  # a last word, of which a part still waits
        self._times = _Times()
        self._ending = False

    # -------------------------------------------------------------------- the connection --
    def opened(self, connection: Connection, now: float, task_under_way: bool) -> None:
        """A connection is open."""
        self.connection = connection
        times = self._times
        if times.lost is not None and (task_under_way or self._held):
            times.settled = now + SETTLE_AFTER
        times.opened, times.lost, times.retry = now, None, None
        times.ping = now + PING_EVERY if self._settings.pings else None
        times.heard = now

    def refused(self, now: float) -> float:
        """It could not be opened; returns the seconds until the next try."""
        delay = self._back_off.next_delay()
        self._times.retry = None if self._ending else now + delay
        return delay

    def closed(self, now: float, before_close: Callable[[Connection], None]) -> None:
        """The connection has ended; `before_close` is called with it while it is still open."""
        if self.connection is not None:
            outbox = self.connection.outbox
            if self.unsent is not None and (outbox.waiting_bytes or outbox.is_broken):
                self._held.insert(0, self.unsent)
            self.unsent = None
            before_close(self.connection)
            self.connection.close(patience=0.0)
            self.connection = None
        times = self._times
        self._back_off.connected_for(now - times.opened)
        times.lost, times.settled, times.ping = now, None, None
        if self._ending:
            times.lost = None
        self.refused(now)

    def end(self) -> None:
        """The container is ending: a connection that is lost now is not opened again."""
        self._ending = True
        self._times.retry = self._times.lost = None

    @property
    def is_ending(self) -> bool:
        """The container is ending."""
        return self._ending

    def release(self) -> None:
        """Let go of a last word once it is sent whole: it may be large."""
        if self.unsent is not None and self.connection is not None:
            outbox = self.connection.outbox
            if not outbox.waiting_bytes and not outbox.is_broken:
                self.unsent = None

    def heard(self, now: float) -> None:
        """Something has come from the worker."""
        self._times.heard = now

    # ------------------------------------------------------------------------------ time --
    def deadline(self) -> float | None:
        """When `tick` is to be called next; None: there is nothing to wait for."""
        times = self._times
        earliest = self._give_up_at()
        for at in (times.retry, times.settled, times.ping):
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def tick(self, now: float, before_close: Callable[[Connection], None]) -> str | None:
        """What is due at `now`; returns why the worker counts as gone, if it does."""
        times = self._times
        give_up = self._give_up_at()
        if give_up is not None and now >= give_up:
            return (
                f"the worker has not come back within {self._settings.give_up_after:g} s "
                "(WORKER_RECONNECT_TIMEOUT)"
            )
        if times.retry is not None and now >= times.retry:
            times.retry = None
            self._connect()
        if times.settled is not None and now >= times.settled:
            times.settled = None
            self._send_held()
        if times.ping is not None and now >= times.ping and self.connection is not None:
            if now - times.heard > PING_EVERY * _PINGS_UNANSWERED:
                self.closed(now, before_close)
                return None
            times.ping = now + PING_EVERY
            self.connection.ping()
        return None

    def _give_up_at(self) -> float | None:
        if self._times.lost is None or self._settings.give_up_after is None:
            return None
        return self._times.lost + self._settings.give_up_after

    # --------------------------------------------------------------------------- sending --
    def send(self, payload: bytes | bytearray, keep: bool, final: bool = False) -> bool:
        """Send a message, or keep it for when the worker is back.

        Args:
            payload: encoded.
            keep: keep it while the worker is out of reach; else it is dropped then.
            final: the task's last word, kept whatever its size.

        Returns:
            False if it is dropped, because too much is kept already or it is too large.
        """
        if len(payload) > self._settings.max_payload:
            return False
        if self.connection is not None and self._times.settled is None:
            self._send_now(payload, keep)
            if final and self.connection.outbox.waiting_bytes:
                self.unsent = payload
            return True
        if not keep:
            return True
        if not final:
            if self._held_bytes + len(payload) > _MOST_HELD_BYTES:
                return False
            self._held_bytes += len(payload)
        self._held.append(payload)
        return True

    def forget(self) -> None:
        """Another task begins: what is kept belongs to one that is over."""
        self._held, self._held_bytes = [], 0
        self.unsent = None
        self._times.settled = None

    def close(self, patience: float) -> None:
        """Send what is kept, say goodbye, close; `patience` in seconds."""
        if self.connection is None:
            return
        self._times.settled = None
        self._send_held()
        self.connection.close(patience)
        self.connection = None

    def _send_held(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        for payload in held:
            self._send_now(payload, keep=True)

    def _send_now(self, payload: bytes | bytearray, keep: bool) -> None:
        assert self.connection is not None
        try:
            self.connection.send(payload)
        except OSError:
            # The next read tells the loss. What is in the kernel's hands is beyond our
            # knowledge, but a message that was not even taken can be kept.
            if keep:
                self._held.append(payload)


class _Times:
    """Moments on the caller's clock, seconds; None: not applicable now.

    Attributes:
        opened: the connection was opened.
        lost: the last connection ended, and there is none yet.
        retry: the next try to connect.
        settled: what is kept may be sent.
        ping: the next ping.
        heard: something came from the worker.
    """

    def __init__(self) -> None:
        self.opened = 0.0
        self.heard = 0.0
        self.lost: float | None = None
        self.retry: float | None = None
        self.settled: float | None = None
        self.ping: float | None = None
