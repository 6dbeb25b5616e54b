"""Serves held results to other algorithms over ZeroMQ's protocol, as HKube's wrappers do.

One port is for results, the next one for pings. The server runs in the supervisor, where user code
cannot block the GIL, and killing a stuck algorithm loses no results. Results are sent from the
memory that holds them, so many clients cost no more memory than one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...protocol.zmtp.frames import Limits
from ...storage.peers.answers import Answer, answer_request, refusal
from ...storage.peers.held_results import HeldResults
from ..loop.poller import Poller
from .asking_peer import AskingPeer
from .listener import PeerListener
from .request_memory import RequestMemory

if TYPE_CHECKING:
    from ...config.storage_settings import DiscoverySettings

_SERVING_FOR = 10.0  # seconds after the last reply
_REQUEST_LIMITS = Limits(message_bytes=1024 * 1024, frames=16)
_PING_LIMITS = Limits(message_bytes=1024, frames=16)
_MOST_REQUEST_MEMORY = 32 * 1024 * 1024  # bytes, of all peers together
_MOST_PARTS = 200_000  # of all replies under way together
_CROWDED_EVERY = 60.0  # seconds between two reports
_ANSWERING_FOR = 0.002  # seconds; then the loop has its turn
_PING, _PONG = b"ping", b"pong"


class PeerServer:
    """Serves held results.

    Args:
        settings: the address to listen on and the encoding of requests.
        held: the results.
        poller: of the supervisor.
        report: called every `serving_report_interval` while peers are served.
        crowded: called, at most once a minute, with the number of connections when one was closed
            for another.
        most_connections: how many connections to each port may be open at once.
        clock: monotonic, seconds.
    """

    def __init__(
        self,
        settings: DiscoverySettings,
        held: HeldResults,
        poller: Poller,
        report: Callable[[], None],
        crowded: Callable[[int], None],
        most_connections: int = 1000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._held = held
        self._report = report
        self._crowded = crowded
        self._clock = clock
        memory = RequestMemory(_MOST_REQUEST_MEMORY)
        self._listeners = [
            PeerListener(
                settings.host,
                port,
                most_connections,
                limits,
                memory,
                poller,
                on_request,
                self._note_crowd,
                clock,
            )
            for port, limits, on_request in (
                (settings.port, _REQUEST_LIMITS, self._queue),
                (settings.port + 1, _PING_LIMITS, _pong),
            )
        ]
        self._waiting: deque[AskingPeer] = deque()  # for an answer
        self._replies = 0  # under way
        self._parts = 0  # of these replies
        self._served_at = float("-inf")
        self._report_at: float | None = None
        self._next_crowd = float("-inf")  # when to report one again

    def start(self) -> None:
        """Listen on both ports.

        Raises:
            OSError: a port is not available.
        """
        try:
            for listener in self._listeners:
                listener.start()
        except OSError:
            self.close()
            raise

    @property
    def listens_everywhere(self) -> bool:
        """Whether it listens on all interfaces, because none has the address of the settings."""
        return any(listener.listens_everywhere for listener in self._listeners)

    def close(self) -> None:
        """Stop serving and free the ports."""
        for listener in self._listeners:
            listener.close()
        self._waiting.clear()
        self._report_at = None

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: nothing is due."""
        if self._waiting:
            return float("-inf")
        earliest = self._report_at
        for listener in self._listeners:
            at = listener.deadline()
            if at is not None and (earliest is None or at < earliest):
                earliest = at
        return earliest

    def tick(self, now: float) -> None:
        """Answer requests, and do what is due at `now`."""
        for listener in self._listeners:
            listener.tick(now)
        until = self._clock() + _ANSWERING_FOR
        while self._waiting:
            self._answer(self._waiting.popleft())
            if self._clock() >= until:
                break
        if self._report_at is not None and now >= self._report_at:
            self._report_or_end(now)

    def _queue(self, peer: AskingPeer) -> None:
        self._waiting.append(peer)

    def _answer(self, peer: AskingPeer) -> None:
        if peer.request is None:  # it has gone
            return
        encoding = self._settings.encoding
        answer = answer_request(bytes(peer.request.body[0]), encoding, self._held)
        if self._parts + len(answer.parts) > _MOST_PARTS:
            self._give_back(answer)
            answer = refusal(encoding, "too many results are being sent to others")
        self._replies += 1
        self._parts += len(answer.parts)
        peer.reply(answer.parts, lambda: self._replied(answer))
        self._served_at = self._clock()
        if self._report_at is None:
            self._report_at = self._served_at

    def _replied(self, answer: Answer) -> None:
        self._served_at = self._clock()
        self._replies -= 1
        self._parts -= len(answer.parts)
        self._give_back(answer)

    def _give_back(self, answer: Answer) -> None:
        for kept in answer.borrowed:
            self._held.give_back(kept)

    def _report_or_end(self, now: float) -> None:
        if self._replies:
            self._served_at = now
        if now - self._served_at >= _SERVING_FOR:
            self._report_at = None
            return
        self._report_at = now + self._settings.serving_report_interval
        self._report()

    def _note_crowd(self, connections: int) -> None:
        now = self._clock()
        if now >= self._next_crowd:
            self._next_crowd = now + _CROWDED_EVERY
            self._crowded(connections)


def _pong(peer: AskingPeer) -> None:
    assert peer.request is not None
    body = peer.request.body
    peer.reply([_PONG if body == [_PING] else b""], _do_nothing)


def _do_nothing() -> None:
    pass
