"""Asks peers, which are other algorithms, for results that they hold in memory.

All peers are asked at once. Each gets a ping first, so that an unreachable peer costs the short
network timeout and not the request timeout. If anything fails, the storage has the result too.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ...errors import StorageError
from ...protocol.encoding.encoding import get_encoding
from ...protocol.zmtp.frames import Limits, Piece
from ..format.encoded import Encoded, decode_value
from ..format.header import read_header
from ..format.references import Peer, StoredReference
from .exchange import Exchange, ExchangeError

if TYPE_CHECKING:
    from ...config.storage_settings import DiscoverySettings

_MOST_AT_ONCE = 64  # peers
_SLACK = 64 * 1024  # bytes that a part of an answer may have beyond the size that HKube names
_LARGEST_ERROR = 4096  # bytes: an answer that says "not available" is smaller than this
_LARGEST_PONG = 1024  # bytes
_MEGABYTE = 1024 * 1024


class PeerClient:
    """Asks peers; its `ask` is an `inputs.AskPeers`.

    Args:
        settings: The timeouts and the encoding of requests.
        warn: Writes a warning to the log.
    """

    def __init__(self, settings: DiscoverySettings, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._warn = warn

    def ask(self, links: Sequence[StoredReference]) -> Mapping[str, Encoded]:
        """Return the values that the peers hold, by path, without those that no peer holds."""
        found: dict[str, Encoded] = {}
        waiting = self._conversations(links)
        started: list[_Conversation] = []
        running: dict[int, _Conversation] = {}  # by file descriptor
        poll = select.poll()
        try:
            while True:
                while len(running) < _MOST_AT_ONCE and (new := next(waiting, None)):
                    started.append(new)
                    self._go_on(new, running, poll, found)
                if not running:
                    return found
                for conversation in _ready(poll, running):
                    self._go_on(conversation, running, poll, found)
        finally:
            for conversation in started:  # some are open if a stop interrupts this
                conversation.close()

    def _go_on(
        self,
        conversation: _Conversation,
        running: dict[int, _Conversation],
        poll: select.poll,
        found: dict[str, Encoded],
    ) -> None:
        """Advance a conversation, and wait for whatever it needs next."""
        if conversation.fd is not None:
            del running[conversation.fd]
            poll.unregister(conversation.fd)
        try:
            conversation.advance(found)
        except ExchangeError as error:
            conversation.close()
            self._warn(f"{conversation.title}: {error}; reading from the storage")
        if conversation.fd is not None:
            running[conversation.fd] = conversation
            poll.register(conversation.fd, conversation.mask)

    def _conversations(self, links: Sequence[StoredReference]) -> Iterator[_Conversation]:
        wanted: dict[Peer, list[StoredReference]] = {}
        for link in links:
            if link.peer is not None:
                wanted.setdefault(link.peer, []).append(link)
        for peer, asked in wanted.items():
            yield _Conversation(self._settings, peer, asked)


def _ready(poll: select.poll, running: Mapping[int, _Conversation]) -> list[_Conversation]:
    """Wait, and return the conversations that can go on or have taken too long."""
    earliest = min(conversation.deadline for conversation in running.values())
    timeout = max(0, int((earliest - time.monotonic()) * 1000) + 1)
    ready = [running[fd] for fd, _ in poll.poll(timeout)]
    now = time.monotonic()
    late = [each for each in running.values() if each.deadline <= now and each not in ready]
    return ready + late


class _Conversation:
    """The exchange with one peer: a ping, then the request.

    Args:
        settings: The timeouts and the encoding of requests.
        peer: The peer to ask.
        asked: The results to ask for.
    """

    def __init__(
        self, settings: DiscoverySettings, peer: Peer, asked: Sequence[StoredReference]
    ) -> None:
        self.deadline = 0.0
        self._settings = settings
        self._peer = peer
        self._paths = {link.task_id: link.path for link in asked}
        self._limits = _limits(asked, settings.max_cache_size * _MEGABYTE)
        self._has_asked = False
        self._exchange: Exchange | None = None

    @property
    def title(self) -> str:
        """Name of the peer in the log."""
        return f"the peer {self._peer.host}:{self._peer.port}"

    @property
    def fd(self) -> int | None:
        """The descriptor to wait for; None: it is over, or has not begun."""
        return self._exchange.fileno() if self._exchange is not None else None

    @property
    def mask(self) -> int:
        """What to wait for."""
        return select.POLLOUT if self._exchange and self._exchange.wants_room else select.POLLIN

    def advance(self, found: dict[str, Encoded]) -> None:
        """Go on as far as possible without waiting.

        Raises:
            ExchangeError: The peer does not answer, or not as it should.
        """
        if self._exchange is None:
            self._begin(self._peer.port + 1, b"ping", Limits(_LARGEST_PONG))
            return
        reply = self._exchange.advance()
        if reply is None:
            if time.monotonic() >= self.deadline:
                raise ExchangeError("it did not answer in time")
            return
        self.close()
        if self._has_asked:
            self._take(reply, found)
        elif reply == [b"pong"]:
            encoding = get_encoding(self._settings.encoding)
            request = encoding.encode({"tasks": list(self._paths)}, "request")
            self._has_asked = True
            self._begin(self._peer.port, request, self._limits)
        else:
            raise ExchangeError("its reply to a ping is not that of an HKube wrapper")

    def close(self) -> None:
        """Close the connection."""
        if self._exchange is not None:
            self._exchange.close()
            self._exchange = None

    def _begin(self, port: int, message: bytes, limits: Limits) -> None:
        within = self._settings.timeout if self._has_asked else self._settings.network_timeout
        self.deadline = time.monotonic() + within
        self._exchange = Exchange(self._peer.host, port, message, limits)

    def _take(self, parts: Sequence[Piece], found: dict[str, Encoded]) -> None:
        if len(parts) != 2 * len(self._paths):
            raise ExchangeError(f"it sent {len(parts)} parts for {len(self._paths)} tasks")
        for path, header, payload in zip(
            self._paths.values(), parts[::2], parts[1::2], strict=True
        ):
            encoded = Encoded(bytes(header), memoryview(payload))
            if not self._is_error(encoded):
                found[path] = encoded

    def _is_error(self, encoded: Encoded) -> bool:
        header = read_header(encoded.header)
        if encoded.size > _LARGEST_ERROR or (header is not None and header.is_raw):
            return False
        try:
            value = decode_value(encoded, self._settings.encoding)
        except StorageError:
            return True
        return isinstance(value, dict) and "hkube_error" in value


def _limits(asked: Sequence[StoredReference], largest_unnamed: int) -> Limits:
    """Return what an answer may take: more is not read.

    Args:
        asked: The results to ask for.
        largest_unnamed: Bytes for all results together whose size HKube does not name: what a peer
            with our own settings would hold at most.
    """
    named = sum(link.size for link in asked if link.size is not None)
    unnamed = 0 if all(link.size is not None for link in asked) else largest_unnamed
    # The empty frame before the answer, then a header and a payload for each.
    return Limits(named + unnamed + len(asked) * _SLACK, frames=1 + 2 * len(asked))
