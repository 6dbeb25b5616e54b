"""Serves recent results to other algorithms over ZeroMQ, as HKube's wrappers do.

One thread serves two sockets: one for results and, on the next port, one for pings. Results are
sent from the memory that holds them, so many clients cost no more memory than one. The server runs
in the supervisor, where user code cannot block the GIL and killing a stuck algorithm loses no
results.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

import zmq

from ...errors import DecodingError
from ...protocol.encoding.encoding import get_encoding
from ..format.encoded import encode_value
from ..format.header import make_header
from .connection_guard import ConnectionGuard
from .held_results import HeldResults

if TYPE_CHECKING:
    from ...config.storage_settings import DiscoverySettings

_SERVING_FOR = 10.0  # seconds after the last reply
_LARGEST_REQUEST = 4 * 1024 * 1024
_MOST_TASKS = 10_000  # in a request
_GREETING_PATIENCE = 5000  # milliseconds until a stranger who does not speak ZMTP is cut off
_HEARTBEAT = 30_000  # milliseconds between questions whether an idle peer is still there
_REFUSALS_EVERY = 60.0  # seconds between two reports
_GIVE_UP_ON_PEER = 30_000  # milliseconds without a reply from its machine
_PING, _PONG = b"ping", b"pong"


class PeerServer:
    """Serves held results.

    Args:
        settings: The address to listen on and the encoding of requests.
        held: The results.
        report: Called every `serving_report_interval` while peers are served, from the server's
            thread.
        ended: Called from the server's thread after an error has ended it and freed the ports.
        most_connections: How many connections may be open at once.
        refused: Called from the server's thread, at most once a minute, when there were more.
    """

    def __init__(
        self,
        settings: DiscoverySettings,
        held: HeldResults,
        report: Callable[[], None],
        ended: Callable[[Exception], None],
        most_connections: int = 1000,
        refused: Callable[[int], None] = lambda connections: None,
    ) -> None:
        self._settings = settings
        self._held = held
        self._report = report
        self._ended = ended
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._guard = ConnectionGuard(self._context, most_connections, self._report_refused)
        self._refused = refused
        self._next_refusal = float("-inf")  # when to report one again
        # What is on its way: when it has arrived, which memory it takes, and how much.
        self._sending: list[tuple[zmq.MessageTracker, int, int]] = []
        self._last_reply = float("-inf")
        self._next_report: float | None = None

    def start(self) -> None:
        """Bind both ports and serve them in a thread.

        Raises:
            OSError: A port is not available.
        """
        try:
            results, *first = self._bind(self._settings.port)
            pings, *second = self._bind(self._settings.port + 1)
        except zmq.ZMQError as error:
            self._context.destroy(linger=0)
            raise OSError(error.errno, error.strerror) from None
        arguments = (results, pings, [*first, *second])
        Thread(target=self._serve, args=arguments, name="hkube-peers", daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._context.term()

    def _bind(self, port: int) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        """Return a listening socket, and the one that reports its connections."""
        sock = self._context.socket(zmq.REP)
        sock.linger = 0
        sock.maxmsgsize = _LARGEST_REQUEST
        sock.setsockopt(zmq.HANDSHAKE_IVL, _GREETING_PATIENCE)
        sock.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT)
        sock.setsockopt(zmq.HEARTBEAT_TIMEOUT, _HEARTBEAT)
        sock.setsockopt(zmq.TCP_KEEPALIVE, 1)
        sock.setsockopt(zmq.TCP_MAXRT, _GIVE_UP_ON_PEER)
        events = self._guard.guard(sock, port)
        host = self._settings.host
        if ":" in host:
            sock.setsockopt(zmq.IPV6, 1)
            host = f"[{host.strip('[]')}]"
        try:
            sock.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:
            if error.errno not in (errno.ENODEV, errno.EADDRNOTAVAIL):
                raise
            # The pod's published address may not belong to one of its own interfaces.
            sock.bind(f"tcp://*:{port}")
        return sock, events

    def _serve(
        self,
        results: zmq.Socket[bytes],
        pings: zmq.Socket[bytes],
        events: list[zmq.Socket[bytes]],
    ) -> None:
        failure: Exception | None = None
        try:
            poller = zmq.Poller()
            poller.register(results, zmq.POLLIN)
            poller.register(pings, zmq.POLLIN)
            for each in events:
                poller.register(each, zmq.POLLIN)
            while True:
                self._serve_once(poller, results, pings)
        except zmq.ContextTerminated:
            pass  # `close`
        except Exception as error:  # reported to the owner below
            failure = error
        finally:
            results.close()
            pings.close()
            self._guard.close()
        if failure is not None:
            self._context.term()  # unlike the sockets' `close`, this waits until the ports are free
            self._ended(failure)

    def _serve_once(
        self, poller: zmq.Poller, results: zmq.Socket[bytes], pings: zmq.Socket[bytes]
    ) -> None:
        for sock, _ in poller.poll(self._milliseconds_to_report()):
            if self._guard.owns(sock):
                self._guard.take(sock)
                continue
            try:
                # An invalid message makes the socket readable; reading it discards it.
                frames = sock.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                continue
            if sock is pings:
                pings.send(_PONG if frames == [_PING] else b"")
            else:
                self._reply(results, frames[0])
        self._report_if_due()

    def _reply(self, results: zmq.Socket[bytes], request: bytes) -> None:
        parts: list[Any] = []
        for header, payload in self._answers(request):
            frame = zmq.Frame(payload, track=True)  # a large payload is sent without a copy
            if isinstance(payload, memoryview):
                self._sending.append((frame.tracker, id(payload.obj), payload.nbytes))
            parts += [header, frame]
        results.send_multipart(parts or [b""], copy=False)
        now = time.monotonic()
        self._last_reply = now
        self._forget_sent()
        if self._next_report is None:
            self._next_report = now

    def _answers(self, request: bytes) -> list[tuple[bytes, Any]]:
        encoding = self._settings.encoding
        try:
            message = get_encoding(encoding).decode(request)
        except DecodingError as error:
            return [_error(encoding, "unknown", str(error))]
        tasks = message.get("tasks") if isinstance(message, dict) else None
        if not isinstance(tasks, list):
            return [_error(encoding, "unknown", "the request has no list of tasks")]
        if len(tasks) > _MOST_TASKS:
            return [_error(encoding, "unknown", f"the request names more than {_MOST_TASKS} tasks")]
        missing = _error(encoding, "notAvailable", "taskId notAvailable")
        taken = self._memory_of_transfers()
        answers = []
        for task in tasks:
            held = self._held.get(str(task))
            if held is not None:
                taken[id(held.payload.obj)] = held.payload.nbytes
            if held is None or sum(taken.values()) > self._held.budget:
                answers.append(missing)  # the peer then reads the storage
            else:
                answers.append((held.header, held.payload))
        return answers

    def _memory_of_transfers(self) -> dict[int, int]:
        """Return the bytes that transfers keep in memory, even if the result is not held any more.

        A peer that asks and never reads would otherwise keep any number of results.
        """
        self._forget_sent()
        return {memory: size for _, memory, size in self._sending}

    def _forget_sent(self) -> None:
        self._sending = [each for each in self._sending if not each[0].done]

    def _report_refused(self, connections: int) -> None:
        if time.monotonic() >= self._next_refusal:
            self._next_refusal = time.monotonic() + _REFUSALS_EVERY
            self._refused(connections)

    @property
    def _is_serving(self) -> bool:
        self._forget_sent()
        if self._sending:
            self._last_reply = time.monotonic()
        return time.monotonic() - self._last_reply < _SERVING_FOR

    def _milliseconds_to_report(self) -> int | None:
        if self._next_report is None:
            return None
        return max(0, int((self._next_report - time.monotonic()) * 1000) + 1)

    def _report_if_due(self) -> None:
        if self._next_report is None or time.monotonic() < self._next_report:
            return
        if not self._is_serving:
            self._next_report = None
            return
        self._next_report = time.monotonic() + self._settings.serving_report_interval
        self._report()


def _error(encoding: str, code: str, message: str) -> tuple[bytes, Any]:
    """Return the error that HKube's wrappers send in place of a result."""
    value = {"hkube_error": {"code": code, "message": message}}
    encoded = encode_value(value, encoding, "answer")
    return encoded.header or make_header(False, encoding), encoded.payload
