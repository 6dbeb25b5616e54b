"""The connection to HKube's worker: opens it, reads it, and sends what the link admits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..loop.outbox import Outbox
from ..loop.poller import Poller
from ..loop.wakeup import Wakeup
from .connection import Connection
from .connector import ConnectionTarget, Opened, Refused, open_in_thread
from .link import Admission, LinkAction, LinkSettings, WorkerLink

if TYPE_CHECKING:
    from ...log import Log

# Each message needs them, and looking up an enum's member is slow.
_SEND = Admission.SEND
_REFUSED = Admission.REFUSED

_ANNOUNCE_EVERY = 30.0  # seconds between two log lines about an unreachable worker

Payloads = list[bytes | bytearray]
Open = Callable[[ConnectionTarget, Callable[[Opened | Refused], None]], None]


class Worker:
    """Keeps a connection to the worker open, in the supervisor's loop.

    Args:
        target: the worker's address.
        settings: limits and times.
        binary: the encoding is binary.
        poller: the loop's poller.
        wakeup: the loop's wake-up.
        log: the wrapper's log.
        on_messages: called with the payloads that the worker sent.
        is_task_under_way: whether a task has not sent its final message yet.
        open_connection: tries once to open a connection, without waiting, and reports the outcome.
        clock: monotonic, seconds.
        hint: follows the first line that says that the worker does not answer.
    """

    def __init__(
        self,
        target: ConnectionTarget,
        settings: LinkSettings,
        binary: bool,
        poller: Poller,
        wakeup: Wakeup,
        log: Log,
        on_messages: Callable[[Payloads], None],
        is_task_under_way: Callable[[], bool],
        open_connection: Open = open_in_thread,
        clock: Callable[[], float] = time.monotonic,
        hint: str = "",
    ) -> None:
        self._target = target
        self._settings = settings
        self._binary = binary
        self._poller = poller
        self._wakeup = wakeup
        self._log = log
        self._on_messages = on_messages
        self._is_task_under_way = is_task_under_way
        self._open_connection = open_connection
        self._clock = clock
        self._hint = hint
        self._link = WorkerLink(settings)
        self._connection: Connection | None = None
        self._next_announcement = 0.0

    # ------------------------------------------------------------------------ connecting --
    def connect(self) -> None:
        """Start to open a connection, without waiting."""
        # The outcome arrives in another thread.
        self._open_connection(
            self._target, lambda outcome: self._wakeup.post(lambda: self._connected(outcome))
        )

    def end(self) -> None:
        """Do not reconnect from now on: the container is ending."""
        self._link.end()

    def close(self, patience: float) -> None:
        """Send what is kept, say goodbye and close.

        Args:
            patience: seconds to wait for the worker's goodbye.
        """
        if self._connection is not None:
            self._poller.forget(self._connection)
            self._send_kept()
            self._connection.close(patience)
            self._connection = None

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: there is nothing to wait for."""
        return self._link.deadline()

    def tick(self, now: float) -> str | None:
        """Do what is due at `now`.

        Returns:
            Why the worker counts as gone; None if it does not.
        """
        for action in self._link.tick(now):
            if action is LinkAction.GIVE_UP:
                return (
                    f"the worker has not come back within {self._settings.give_up_after:g} s "
                    "(WORKER_RECONNECT_TIMEOUT)"
                )
            if action is LinkAction.CONNECT:
                self.connect()
            elif action is LinkAction.SEND_KEPT:
                self._send_kept()
            elif self._connection is None:
                continue
            elif action is LinkAction.PING:
                self._connection.ping()
            else:
                self._log.warning("the worker does not answer pings: reconnecting")
                self._disconnect(self._connection, now)
        return None

    def _connected(self, outcome: Opened | Refused) -> None:
        now = self._clock()
        if isinstance(outcome, Refused):
            self._link.refused(now)
            self._announce(outcome, now)
            return
        masked = not self._target.is_loopback or self._target.tls
        self._connection = connection = Connection(outcome.stream, masked, self._binary)
        self._log.info(f"connected to the worker at {self._target.url}")
        self._next_announcement = 0.0
        self._link.opened(now, self._is_task_under_way())
        self._poller.watch(connection, self._read, connection.outbox)
        if self._target.tls:
            # TLS may have decrypted a first message along with the handshake's answer. The socket
            # itself then has nothing left that would wake the loop.
            self._read()

    def _announce(self, refused: Refused, now: float) -> None:
        if now >= self._next_announcement:
            self._next_announcement = now + _ANNOUNCE_EVERY
            hint, self._hint = self._hint, ""
            self._log.info(
                f"waiting for HKube's worker at {self._target.url}: {refused.reason}{hint}"
            )

    def _disconnect(self, connection: Connection, now: float) -> None:
        all_sent = not connection.outbox.waiting_bytes and not connection.outbox.is_broken
        self._poller.forget(connection)
        connection.close(patience=0.0)
        self._connection = None
        self._link.closed(now, all_sent)

    # --------------------------------------------------------------------------- reading --
    def _read(self) -> None:
        connection = self._connection
        if connection is None:
            return
        payloads, closed = connection.read()
        if self._settings.pings:
            self._link.received(self._clock())
        self._on_messages(payloads)
        # A message may have closed the connection itself.
        if closed is not None and self._connection is connection:
            if self._link.is_ending:
                self._log.info(closed.reason)
            else:
                self._log.warning(f"{closed.reason}: reconnecting")
            self._disconnect(connection, self._clock())

    # --------------------------------------------------------------------------- sending --
    @property
    def outbox(self) -> Outbox | None:
        """The outbox of the open connection."""
        return None if self._connection is None else self._connection.outbox

    @property
    def waiting_bytes(self) -> int:
        """The number of bytes that are sent but not yet taken by the kernel."""
        return 0 if self._connection is None else self._connection.outbox.waiting_bytes

    def send(self, payload: bytes | bytearray, keep: bool, final: bool = False) -> None:
        """Send a message, or keep it until the worker is back.

        Args:
            payload: the encoded message.
            keep: keep it while the worker is unreachable, do not drop it.
            final: it is the task's final message, which is kept whatever its size.
        """
        admission = self._link.admit(payload, keep, final)
        if admission is _SEND:
            self._send_now(payload, keep, final)
        elif admission is _REFUSED:
            self._log.warning(
                f"dropped a message of {len(payload):,} bytes: it is too large, or too many "
                "messages already wait for an unreachable worker"
            )

    def forget_kept(self) -> None:
        """Drop what is kept for the worker: another task begins."""
        self._link.forget_kept()

    def release_sent(self) -> None:
        """Release a final message that is sent whole: it may be large."""
        if self._link.in_flight is not None and self._connection is not None:
            outbox = self._connection.outbox
            if not outbox.waiting_bytes and not outbox.is_broken:
                self._link.flushed()

    def _send_kept(self) -> None:
        for payload in self._link.take_kept():
            self._send_now(payload, keep=True, final=False)

    def _send_now(self, payload: bytes | bytearray, keep: bool, final: bool) -> None:
        assert self._connection is not None
        try:
            self._connection.send(payload)
        except OSError:
            # The next read reports the loss. Nobody knows what became of the bytes that the kernel
            # had taken already, but this message it did not take.
            if keep:
                self._link.not_sent(payload)
        else:
            if final and self._connection.outbox.waiting_bytes:
                self._link.partly_sent(payload)
