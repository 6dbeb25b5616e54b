"""The worker as the supervisor sees it: messages come from it, messages go to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..loop.outbox import Outbox
from ..loop.poller import Poller
from ..loop.wakeup import Wakeup
from .connection import Closed, Connection
from .connector import ConnectionTarget, Opened, Refused, open_in_thread
from .link import LinkSettings, WorkerLink

if TYPE_CHECKING:
    from ...log import Log

_ANNOUNCE_EVERY = 30.0  # seconds between two lines about a worker that is not there


class Worker:
    """Keeps a connection to the worker open, and reads and writes it in the supervisor's loop.

    Args:
        target: where it is.
        settings: how patient the link is.
        binary: the encoding is a binary one.
        poller: the loop's.
        wakeup: the loop's.
        log: the wrapper's.
    """

    def __init__(
        self,
        target: ConnectionTarget,
        settings: LinkSettings,
        binary: bool,
        poller: Poller,
        wakeup: Wakeup,
        log: Log,
    ) -> None:
        self.link = WorkerLink(settings, self.connect)
        self._target = target
        self._binary = binary
        self._poller = poller
        self._wakeup = wakeup
        self._log = log
        self._next_announcement = 0.0
        self.on_messages: Callable[[list[bytes | bytearray]], None] = lambda payloads: None
        self.task_under_way: Callable[[], bool] = lambda: False

    def connect(self) -> None:
        """Begin to open a connection; does not wait."""
        open_in_thread(
            self._target, lambda outcome: self._wakeup.post(lambda: self._connected(outcome))
        )

    def tick(self, now: float) -> str | None:
        """What is due at `now`; returns why the worker counts as gone, if it does."""
        before = self.link.connection
        gone = self.link.tick(now, self._before_close)
        if before is not None and self.link.connection is None:
            self._log.warning("the worker does not answer pings: connecting anew")
        return gone

    @property
    def outbox(self) -> Outbox | None:
        """The open connection's."""
        connection = self.link.connection
        return None if connection is None else connection.outbox

    @property
    def waiting_bytes(self) -> int:
        """What is sent but not yet taken by the kernel."""
        connection = self.link.connection
        return 0 if connection is None else connection.outbox.waiting_bytes

    def close(self, patience: float) -> None:
        """Send what is kept, say goodbye, close; `patience` in seconds."""
        connection = self.link.connection
        if connection is not None:
            self._poller.forget(connection)
        self.link.close(patience)

    def _connected(self, outcome: Opened | Refused) -> None:
        now = time.monotonic()
        if isinstance(outcome, Refused):
            self.link.refused(now)
            if now >= self._next_announcement:
                self._next_announcement = now + _ANNOUNCE_EVERY
                self._log.info(
                    f"waiting for HKube's worker at {self._target.url}: {outcome.reason} "
                    "(to try an algorithm with no HKube: hkube-wrapper run PATH)"
                )
            return
        masked = not self._target.is_loopback or self._target.tls
        connection = Connection(outcome.stream, masked, self._binary)
        self._log.info(f"connected to the worker at {self._target.url}")
        self._next_announcement = 0.0
        self.link.opened(connection, now, self.task_under_way())
        self._poller.watch(connection, self._readable, connection.outbox)
        if self._target.tls:
            # TLS may have decrypted a first message along with the handshake's answer: then the
            # socket has nothing left to wake us with.
            self._readable()

    def _readable(self) -> None:
        connection = self.link.connection
        if connection is None:
            return
        payloads, closed = connection.read()
        if self.link.pings:
            self.link.heard(time.monotonic())
        self.on_messages(payloads)
        if closed is not None and self.link.connection is connection:
            self._lost(closed)

    def _lost(self, closed: Closed) -> None:
        if self.link.is_ending:
            self._log.info(closed.reason)
        else:
            self._log.warning(f"{closed.reason}: connecting anew")
        self.link.closed(time.monotonic(), self._before_close)

    def _before_close(self, connection: Connection) -> None:
        self._poller.forget(connection)
