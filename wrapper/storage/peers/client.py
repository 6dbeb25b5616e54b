"""Asks peers, which are other algorithms, for results that they hold in memory.

All peers are asked at once. Each gets a ping first, so that an unreachable peer costs the short
network timeout and not the request timeout. If anything fails, the storage has the result too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import zmq

from ...errors import StorageError
from ...protocol.encoding.encoding import get_encoding
from ..format.encoded import Encoded, decode_value
from ..format.header import read_header
from ..format.references import Peer, StoredReference

if TYPE_CHECKING:
    from ...config.storage_settings import DiscoverySettings

_MOST_AT_ONCE = 64  # peers
_SLACK = 64 * 1024  # bytes that a part of an answer may have beyond the size that HKube names
_LARGEST_ERROR = 4096  # bytes: an answer that says "not available" is smaller than this


class PeerClient:
    """Asks peers; its `ask` is an `inputs.AskPeers`.

    Args:
        settings: The timeouts and the encoding of requests.
        warn: Writes a warning to the log.
    """

    def __init__(self, settings: DiscoverySettings, warn: Callable[[str], None]) -> None:
        self._settings = settings
        self._warn = warn
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()

    def ask(self, links: Sequence[StoredReference]) -> Mapping[str, Encoded]:
        """Return the values that the peers hold, by path, without those that no peer holds."""
        found: dict[str, Encoded] = {}
        waiting = self._conversations(links)
        poller = zmq.Poller()
        running: list[_Conversation] = []
        try:
            while True:
                while len(running) < _MOST_AT_ONCE and (started := next(waiting, None)):
                    running.append(started)
                    started.ping(poller)
                if not running:
                    return found
                self._wait(poller, running)
                for conversation in list(running):
                    conversation.advance(poller, found)
                    if conversation.is_over:
                        running.remove(conversation)
                        self._end(conversation, poller)
        finally:
            for conversation in running:  # interrupted by a stop
                conversation.close(poller)

    def _end(self, conversation: _Conversation, poller: zmq.Poller) -> None:
        conversation.close(poller)
        if conversation.failure:
            self._warn(f"{conversation.title}: {conversation.failure}; reading from the storage")

    def close(self) -> None:
        """Close the client."""
        self._context.term()

    def _conversations(self, links: Sequence[StoredReference]) -> Iterator[_Conversation]:
        wanted: dict[Peer, list[StoredReference]] = {}
        for link in links:
            if link.peer is not None:
                wanted.setdefault(link.peer, []).append(link)
        for peer, asked in wanted.items():
            paths = {link.task_id: link.path for link in asked}
            yield _Conversation(self._context, self._settings, peer, paths, _largest_part(asked))

    def _wait(self, poller: zmq.Poller, running: Sequence[_Conversation]) -> None:
        earliest = min(conversation.deadline for conversation in running)
        poller.poll(max(0, int((earliest - time.monotonic()) * 1000) + 1))


class _Conversation:
    """The exchange with one peer: a ping, then the request.

    Args:
        context: ZeroMQ context.
        settings: The timeouts and the encoding of requests.
        peer: The peer to ask.
        paths: The paths of the results, by task id.
        largest: The most bytes that one part of the answer may have; -1 if nobody knows.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        settings: DiscoverySettings,
        peer: Peer,
        paths: Mapping[str, str],
        largest: int,
    ) -> None:
        self.deadline = 0.0
        self.failure = ""
        self.is_over = False
        self._has_asked = False
        self._context = context
        self._settings = settings
        self._peer = peer
        self._paths = paths
        self._largest = largest
        self._socket: zmq.Socket[bytes] | None = None

    @property
    def title(self) -> str:
        """Name of the peer in the log."""
        return f"the peer {self._peer.host}:{self._peer.port}"

    def ping(self, poller: zmq.Poller) -> None:
        """Send the ping."""
        self._send(poller, self._peer.port + 1, b"ping", self._settings.network_timeout)

    def advance(self, poller: zmq.Poller, found: dict[str, Encoded]) -> None:
        """Process a reply: after the pong, send the request; after the answer, finish."""
        if self.is_over or self._socket is None:
            return
        if not self._socket.poll(0):
            if time.monotonic() >= self.deadline:
                self.fail("it did not answer in time")
        elif self._has_asked:
            self._take(self._socket.recv_multipart(copy=False), found)
            self.is_over = True
        elif self._socket.recv_multipart() == [b"pong"]:
            encoding = get_encoding(self._settings.encoding)
            request = encoding.encode({"tasks": list(self._paths)}, "request")
            self.close(poller)
            self._send(poller, self._peer.port, request, self._settings.timeout)
        else:
            self.fail("its reply to a ping is not that of an HKube wrapper")

    def fail(self, why: str) -> None:
        """Give up, and keep the reason."""
        self.failure, self.is_over, self.deadline = why, True, 0.0

    def close(self, poller: zmq.Poller) -> None:
        """Close the connection."""
        if self._socket is not None:
            poller.unregister(self._socket)
            self._socket.close(linger=0)
            self._socket = None

    def _send(self, poller: zmq.Poller, port: int, message: bytes, within: float) -> None:
        self._has_asked = port == self._peer.port
        self.deadline = time.monotonic() + within
        try:
            self._socket = _connect(self._context, self._peer.host, port, self._largest)
            poller.register(self._socket, zmq.POLLIN)
            self._socket.send(message)
        except zmq.ZMQError as error:  # unknown host, or too many open files
            self.fail(f"cannot connect to it: {error}")

    def _take(self, frames: list[Any], found: dict[str, Encoded]) -> None:
        if len(frames) != 2 * len(self._paths):
            self.failure = f"it sent {len(frames)} parts for {len(self._paths)} tasks"
            return
        parts = zip(self._paths.values(), frames[::2], frames[1::2], strict=True)
        for path, header, payload in parts:
            encoded = Encoded(bytes(header.buffer), payload.buffer)
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


def _largest_part(asked: Sequence[StoredReference]) -> int:
    sizes = [link.size for link in asked if link.size is not None]
    return max(sizes) + _SLACK if len(sizes) == len(asked) else -1


def _connect(
    context: zmq.Context[zmq.Socket[bytes]], host: str, port: int, largest: int
) -> zmq.Socket[bytes]:
    sock = context.socket(zmq.REQ)
    sock.linger = 0
    sock.maxmsgsize = largest  # a larger answer ends the connection before it is in memory
    try:
        if ":" in host:
            sock.setsockopt(zmq.IPV6, 1)
            host = f"[{host.strip('[]')}]"
        sock.connect(f"tcp://{host}:{port}")
    except BaseException:
        sock.close()
        raise
    return sock
