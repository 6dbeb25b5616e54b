"""The connection to HKube's worker: opens it, reads it, and sends what can be sent.

What becomes of a message when the connection breaks:
- Outside DEV_MODE and debug connections, nothing of it is ever sent again: HKube runs the task
  again, and whoever we connect to next is another worker.
- A worker that waits for us (DEV_MODE, debug) is sent again what did not go out whole. The end of
  a task is sent again too, unless the worker has answered the ping behind it: that the kernel took
  it does not mean that the worker has read it. The worker may then read it twice if the answer was
  lost with the connection, which is better than waiting for ever. Once it begins another task,
  nothing is sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...protocol.messages.commands import PROGRESS
from ...protocol.messages.peek import HEAD_BYTES, peek_command
from ..loop.outbox import Outbox
from ..loop.poller import Poller
from ..loop.wakeup import Wakeup
from .connection import Connection
from .connector import ConnectionTarget, Opened, Refused, open_in_thread
from .link import PING_EVERY, LinkAction, LinkSettings, WorkerLink
from .unsent import Message, MessageKind, Payload, UnsentMessages

if TYPE_CHECKING:
    from ...log import Log
    from ..loop.counted_log import CountedLog

# Each message needs them, and looking up an enum's member is slow.
_TASK, _FREE = MessageKind.TASK, MessageKind.FREE

# More than this is not handed to the socket at once, so that `stopped` can go before the rest.
_AHEAD_BYTES = 64 * 1024
# The algorithm process has to wait at a part of this (`Supervisor._send`). What it had sent by then
# still fits; what comes from elsewhere (logData) and does not fit is dropped.
MAX_WAITING_BYTES = 64 * 1024 * 1024
_MAX_TASK_BYTES = 2 * MAX_WAITING_BYTES
_ANNOUNCE_EVERY = 30.0  # seconds between two log lines about an unreachable worker

Payloads = list[bytes | bytearray]
Open = Callable[[ConnectionTarget, Callable[[Opened | Refused], None]], None]


class Worker:
    """Keeps a connection to the worker open, in the supervisor's loop.

    Args:
        target: the worker's address.
        settings: limits and times.
        encoding: the encoding of the messages.
        poller: the loop's poller.
        wakeup: the loop's wake-up.
        log: the wrapper's log.
        counted: for what may be dropped very often.
        on_messages: called with the payloads that the worker sent.
        on_lost: called when the connection is lost.
        is_task_under_way: whether a task has not sent its final message yet.
        open_connection: tries once to open a connection, without waiting, and reports the outcome.
        clock: monotonic, seconds.
        on_connected: called when a connection is open.
        hint: follows the first line that says that the worker does not answer.
    """

    def __init__(
        self,
        target: ConnectionTarget,
        settings: LinkSettings,
        encoding: str,
        poller: Poller,
        wakeup: Wakeup,
        log: Log,
        counted: CountedLog,
        on_messages: Callable[[Payloads], None],
        on_lost: Callable[[], None],
        is_task_under_way: Callable[[], bool],
        open_connection: Open = open_in_thread,
        clock: Callable[[], float] = time.monotonic,
        on_connected: Callable[[], None] = lambda: None,
        hint: str = "",
    ) -> None:
        self._target = target
        self._settings = settings
        self._encoding = encoding
        self._poller = poller
        self._wakeup = wakeup
        self._log = log
        self._counted = counted
        self._on_messages = on_messages
        self._on_lost = on_lost
        self._on_connected = on_connected
        self._is_task_under_way = is_task_under_way
        self._open_connection = open_connection
        self._clock = clock
        self._hint = hint
        self._link = WorkerLink(settings)
        self._connection: Connection | None = None
        self._unsent = UnsentMessages()
        self._unread: list[tuple[int, Message]] = []  # sent whole; each with the ping behind it
        self._pings = 0
        self._next_announcement = 0.0
        self.is_paused = False  # what the worker sends is left in the socket for now

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
        """Send what waits, say goodbye and close.

        Args:
            patience: seconds to wait for the worker's goodbye.
        """
        if self._connection is not None:
            self._poller.forget(self._connection)
            while self._unsent:
                self._connection.send(self._unsent.take())
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
        if self.is_paused:
            self._link.received(now)  # its pongs wait in the socket too
        for action in self._link.tick(now):
            if action is LinkAction.GIVE_UP:
                return (
                    f"the worker has not come back within {self._settings.give_up_after:g} s "
                    "(WORKER_RECONNECT_TIMEOUT)"
                )
            if action is LinkAction.CONNECT:
                self.connect()
            elif action is LinkAction.SEND_WAITING:
                self.send_waiting()
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
            self._link.refused(now, outcome.nothing_listens)
            self._announce(outcome, now)
            return
        masked = not self._target.is_loopback or self._target.tls
        self._connection = connection = self._connection_over(outcome, masked)
        self._log.info(f"connected to the worker at {self._target.url}")
        self._next_announcement = 0.0
        self._on_connected()
        ping_every = min(PING_EVERY, outcome.ping_every or PING_EVERY)
        self._link.opened(now, self._is_task_under_way() or bool(self._unsent), ping_every)
        self._poller.watch(connection, self._read, connection.outbox)
        self._poller.pause(connection, self.is_paused)
        if self._target.tls:
            # TLS may have decrypted a first message along with the handshake's answer. The socket
            # itself then has nothing left that would wake the loop.
            self._read()

    def _connection_over(self, opened: Opened, masked: bool) -> Connection:
        if not self._target.socketio:
            return Connection(opened.stream, masked, self._encoding != "json")
        from .socketio_connection import SocketioConnection

        return SocketioConnection(opened.stream, masked)

    def _announce(self, refused: Refused, now: float) -> None:
        if now >= self._next_announcement:
            self._next_announcement = now + _ANNOUNCE_EVERY
            hint, self._hint = self._hint, ""
            self._log.info(
                f"waiting for HKube's worker at {self._target.url}: {refused.reason}{hint}"
            )

    def _disconnect(self, connection: Connection, now: float) -> None:
        self._poller.forget(connection)
        self._keep_for_later(connection.give_up())
        connection.close(patience=0.0)
        self._connection = None
        self._link.closed(now)
        self._on_lost()

    def _keep_for_later(self, unsent: list[Message]) -> None:
        """Keep what the worker has not read, if it will want it."""
        if self._settings.worker_waits:
            unread = [message for _, message in self._unread if message not in unsent]
            self._unsent.put_back([*unread, *unsent])
            self._unsent.drop_passing()
        else:
            self._unsent.clear()
        self._unread.clear()

    # --------------------------------------------------------------------------- reading --
    def pause(self, paused: bool) -> None:
        """Leave what the worker sends in the socket for now, so that it has to wait; or read it."""
        self.is_paused = paused
        if self._connection is not None:
            self._poller.pause(self._connection, paused)

    def read_first(self) -> None:
        """Read what has arrived, before a task's final message is sent.

        Otherwise the message could go to a connection that the worker has ended already. Only a
        worker that waits for us would miss it.
        """
        if self._settings.worker_waits:
            self._read()

    def _read(self) -> None:
        connection = self._connection
        if connection is None:
            return
        payloads, closed = connection.read()
        if self._settings.pings and connection.has_received:
            self._link.received(self._clock())
        if self._unread and connection.last_pong.isdigit():
            answered = int(connection.last_pong)
            self._unread = [each for each in self._unread if each[0] > answered]
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
        """The memory taken by messages that the kernel has not taken yet."""
        connection = self._connection
        return self._unsent.cost + (0 if connection is None else connection.outbox.waiting_bytes)

    def send(self, payload: Payload, kind: MessageKind) -> None:
        """Send a message, let it wait, or drop it if it would have no meaning later.

        Args:
            payload: the encoded message.
            kind: decides whether and where it waits.
        """
        if len(payload) > self._settings.max_payload:
            self._counted.add(
                "warning",
                f"dropped a message of {len(payload):,} bytes: the worker accepts "
                f"{self._settings.max_payload:,} (WORKER_SOCKET_MAX_PAYLOAD_BYTES)",
            )
            return
        if self._target.socketio and not self._is_listened_to(payload):
            return
        connection = self._connection
        may_send = self._link.may_send
        if connection is not None and (may_send or kind is _FREE):
            goes_first = not (self._unsent.cost and may_send)
            if goes_first and connection.outbox.waiting_bytes < _AHEAD_BYTES:
                self._send_now(connection, Message(payload, kind))
            else:
                self._let_wait(payload, kind)
        elif kind.is_kept and (connection is not None or self._settings.worker_waits):
            self._let_wait(payload, kind)

    def _is_listened_to(self, payload: Payload) -> bool:
        """Return whether the worker's socket.io server has a listener for a message."""
        from ...protocol.socketio.packets import LISTENED_COMMANDS
        from .socketio_connection import command_of

        command = command_of(payload)
        if command in LISTENED_COMMANDS:
            return True
        self._counted.add(
            "warning",
            f"did not send {command!r}: HKube's worker does not listen to it on socket.io",
        )
        return False

    def forget_old_messages(self) -> None:
        """Drop what waits: the worker begins another task."""
        self._unsent.clear()
        self._unread.clear()
        self._link.task_begins()

    def send_waiting(self) -> None:
        """Send what waits, as far as the socket takes it; call this in each round of the loop."""
        connection = self._connection
        if connection is None:
            return
        if self._unsent.cost and self._link.may_send:
            outbox = connection.outbox
            while self._unsent and outbox.waiting_bytes < _AHEAD_BYTES and not outbox.is_broken:
                with outbox.corked():
                    while self._unsent and outbox.waiting_bytes < _AHEAD_BYTES:
                        self._send_now(connection, self._unsent.take())
        connection.release_sent()

    def _let_wait(self, payload: Payload, kind: MessageKind) -> None:
        limit = {_TASK: _MAX_TASK_BYTES, _FREE: MAX_WAITING_BYTES}.get(kind)
        if limit is not None and self._unsent.cost + len(payload) > limit:
            self._counted.add(
                "warning",
                f"dropped a message of {len(payload):,} bytes: {self._unsent.cost:,} bytes "
                "already wait for the worker",
            )
            return
        is_progress = (
            kind is _TASK and peek_command(self._encoding, bytes(payload[:HEAD_BYTES])) == PROGRESS
        )
        self._unsent.add(Message(payload, kind, is_progress))

    def _send_now(self, connection: Connection, message: Message) -> None:
        connection.send(message)
        if self._settings.worker_waits and message.kind.ends_task:
            # The worker answers the ping once it has read the message.
            self._pings += 1
            self._unread.append((self._pings, message))
            connection.ping(b"%d" % self._pings)
