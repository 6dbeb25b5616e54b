"""Streaming of one task: the sockets to other nodes, and the frames of the algorithm process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...ipc import stream_frames
from ...ipc.frames import FrameKind
from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages.commands import STREAMING_STATISTICS
from ...streaming.job import StreamJob
from ...streaming.queue import Piece
from ...streaming.wire import StreamedMessage
from ..loop.burst import Burst
from ..loop.poller import Poller
from .consumer import Consumer, ParentAddress
from .notices import Notices
from .producer import Producer

if TYPE_CHECKING:
    from ...log import Log

# Between two tries to listen on a port that is taken, seconds.
_LISTEN_AGAIN = 1.0
# An answer that is due when a graceful stop begins may be a message: it is waited for so long.
_ANSWER_PATIENCE = 1.0
# A handler that has not ended by then is left to the ladder of the stop.
_HANDLER_PATIENCE = 30.0

Deliver = Callable[[FrameKind, Sequence[Piece]], None]


class StreamSettings(NamedTuple):
    """The settings of streaming.

    Attributes:
        port: that this node's consumers connect to.
        limit: bytes that the queue may hold.
        interval: seconds between two reports of statistics.
        encoding: of names, flows and values between nodes.
        waits_when_full: a full queue lets `sendMessage` wait, instead of dropping the oldest.
    """

    port: int
    limit: int
    interval: float
    encoding: str
    waits_when_full: bool


class Streams:
    """The streaming part of a task, as the supervisor sees it.

    Args:
        job: the node's part in the pipeline.
        settings: the settings of streaming.
        poller: of the supervisor.
        post: has a function called in the supervisor's loop; safe from any thread.
        log: the wrapper's log.
        report: sends a message to the worker.
        deliver: sends a frame to the algorithm process.
        burst: gathers what several frames cause to be sent.

    Attributes:
        may_report: whether statistics are sent; HKube's wrappers have none before `start`.
    """

    def __init__(
        self,
        job: StreamJob,
        settings: StreamSettings,
        poller: Poller,
        post: Callable[[Callable[[], None]], None],
        log: Log,
        report: Callable[[Mapping[str, Any]], None],
        deliver: Deliver,
        burst: Burst,
    ) -> None:
        self._job = job
        self._settings = settings
        self._log = log
        self._report = report
        self._deliver = deliver
        self._notices = Notices(log.warning)
        encoding = get_encoding(settings.encoding)
        self._consumer = Consumer(
            job.node, encoding, poller, post, self._notices, self._deliver_message, burst
        )
        self._producer: Producer | None = None
        if job.children:
            self._producer = Producer(
                settings.port, job.children, settings.limit, encoding, poller, self._notices, burst
            )
        self._listen_at: float | None = None
        self._report_at = time.monotonic() + settings.interval
        self.may_report = False
        self._is_full = False
        self._quiet_by: float | None = None

    def start(self) -> None:
        """Listen for consumers."""
        if self._producer is None:
            return
        try:
            self._producer.start()
        except OSError as error:
            if self._listen_at is None:
                self._log.error(
                    f"streaming: cannot listen on port {self._settings.port} "
                    f"({error.strerror or error}); trying again. Set STREAMING_DISCOVERY_PORT, "
                    "for the worker as well, if something else needs this port"
                )
            self._listen_at = time.monotonic() + _LISTEN_AGAIN
        else:
            self._listen_at = None
            self._log.info(f"streaming: serving messages on port {self._settings.port}")

    def close(self) -> None:
        """Close everything; what waits is lost."""
        self._consumer.close()
        if self._producer is not None:
            self._producer.close()
        self._notices.close()

    # ------------------------------------------------------------------- from the worker --
    def discover(self, changes: object) -> None:
        """Parents' pods that came or went.

        Args:
            changes: the data of a `serviceDiscoveryUpdate`.
        """
        for change in changes if isinstance(changes, list) else []:
            address = change.get("address") if isinstance(change, dict) else None
            try:
                where = ParentAddress(str(address["host"]), int(address["port"]))  # type: ignore[index]
            except (TypeError, KeyError, ValueError):
                self._log.warning(
                    f"streaming: ignored a parent without an address: {change!r:.200}"
                )
                continue
            if change.get("type") == "Del":
                self._consumer.remove(where)
            else:
                self._consumer.add(where, str(change.get("nodeName") or ""))

    # -------------------------------------------------------- from the algorithm process --
    def take(self, kind: int, payload: Piece) -> None:
        """A streaming frame of the algorithm process.

        Raises:
            ValueError: it is malformed.
        """
        now = time.monotonic()
        if kind == FrameKind.STREAM_SEND:
            self._send(payload, now)
        elif kind == FrameKind.STREAM_HANDLED:
            self._consumer.handled(*stream_frames.parse_handled(payload))
        else:
            self._command(stream_frames.parse_command(payload))

    def ask(self) -> None:
        """Ask the parents for more, after some frames of the algorithm process."""
        self._consumer.ask(time.monotonic())

    def _send(self, payload: Piece, now: float) -> None:
        message = stream_frames.parse_outgoing(payload)
        children = self._job.children
        targets = [children[number] for number in message.targets if number < len(children)]
        if self._producer is None or not targets:
            return
        self._producer.append(message.flow, message.header, message.payload, targets, now)
        self._tell_fullness()

    def _command(self, command: Mapping[str, Any]) -> None:
        if "listen" in command:
            self._consumer.listen(bool(command["listen"]))
        if "reset" in command and self._producer is not None:
            count = command["reset"]
            self._producer.queue.reset(count if isinstance(count, int) else None)
            self._tell_fullness()
        if "statistics" in command:
            reply = stream_frames.command_payload(
                request=command["statistics"], statistics=self.statistics()
            )
            self._deliver(FrameKind.STREAM_REPLY, [reply])

    def statistics(self) -> dict[str, Any]:
        """What `get_streaming_statistics` returns to user code."""
        queue = self._producer.queue if self._producer is not None else None
        nodes = []
        for name in self._job.children if queue is not None else ():
            assert queue is not None
            counts = queue.counts(name)
            nodes.append(
                {
                    "nodeName": name,
                    "sent": counts.sent,
                    "queueSize": counts.waiting,
                    "dropped": counts.dropped,
                }
            )
        return {
            "binarySize": queue.bytes if queue is not None else 0,
            "configuredMaxBinarySize": self._settings.limit,
            "statisticsPerNode": nodes,
        }

    def _deliver_message(self, delivery: int, origin: str, message: StreamedMessage) -> None:
        pieces = stream_frames.incoming_pieces(
            delivery, origin.encode(), message.flow, message.header, message.payload
        )
        self._deliver(FrameKind.STREAM_MESSAGE, pieces)

    def _tell_fullness(self) -> None:
        """Let `sendMessage` wait while the queue is full, if the settings ask for that."""
        if not self._settings.waits_when_full or self._producer is None:
            return
        queue = self._producer.queue
        is_full = queue.bytes >= queue.limit * (0.8 if self._is_full else 0.9)
        if is_full is not self._is_full:
            self._is_full = is_full
            reply = stream_frames.command_payload(full=is_full)
            self._deliver(FrameKind.STREAM_REPLY, [reply])

    # ------------------------------------------------------------------------ the clock --
    def deadline(self, now: float) -> float:
        """When `tick` is due."""
        earliest = self._report_at
        for at in (
            self._consumer.deadline(now),
            self._producer.deadline() if self._producer is not None else None,
            self._notices.deadline(),
            self._listen_at,
            self._quiet_by,
        ):
            if at is not None and at < earliest:
                earliest = at
        return earliest

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._listen_at is not None and now >= self._listen_at:
            self.start()
        self._consumer.tick(now)
        self._notices.tick(now)
        if self._producer is not None:
            self._producer.tick(now)
        if now >= self._report_at:
            self._report_at = now + self._settings.interval
            self.report_statistics()
        self._tell_fullness()

    def report_statistics(self) -> None:
        """Send the statistics of now."""
        if self._producer is None or not self.may_report:
            return  # an empty list would tell the worker nothing
        reports = [edge.message() for edge in self._producer.report()]
        self._report({"command": STREAMING_STATISTICS, "data": reports})

    # -------------------------------------------------------------------------- the end --
    def quiesce(self, now: float) -> None:
        """Ask for no more messages: a graceful stop begins."""
        self._consumer.asking.listen(False)
        self._quiet_by = now + _ANSWER_PATIENCE

    def is_quiet(self, began: float, now: float) -> bool:
        """Whether everything that was fetched has been handled, as far as one waits for it.

        Args:
            began: when `quiesce` was called.
        """
        asking = self._consumer.asking
        if asking.awaits_answer and now - began < _ANSWER_PATIENCE:
            return False
        self._quiet_by = began + _HANDLER_PATIENCE
        return not asking.in_hand or now - began >= _HANDLER_PATIENCE

    @property
    def is_drained(self) -> bool:
        """Whether every message that was sent has been handled."""
        return self._producer is None or self._producer.is_drained

    @property
    def last_asked(self) -> float | None:
        """When a consumer last asked for something; None: never."""
        return self._producer.deliveries.last_asked if self._producer is not None else None

    def describe_rest(self) -> str:
        """What would be lost now, in words; empty: nothing."""
        if self._producer is None or self._producer.is_drained:
            return ""
        queue, deliveries = self._producer.queue, self._producer.deliveries
        parts = [
            f"{name}: {queue.counts(name).waiting:,} not fetched, "
            f"{deliveries.in_flight(name):,} not handled"
            for name in self._job.children
        ]
        return "; ".join(parts)
