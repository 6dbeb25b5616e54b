"""A port that peers connect to, and its connections."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from ...protocol.zmtp.frames import Limits
from ..loop.poller import Poller
from .asking_peer import AskingPeer
from .request_memory import RequestMemory

_BACKLOG = 256
_ACCEPTS_A_TURN = 32
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_SWEEP_EVERY = 5.0  # seconds
_ACCEPT_AGAIN = 1.0  # seconds until the next try, after there was no descriptor


class PeerListener:
    """Accepts connections up to a limit; above it, the one that has been idle longest is closed.

    Idle strangers would otherwise keep everybody else out, or take all descriptors.

    Args:
        host: the address to listen on.
        port: the port to listen on.
        most: connections.
        limits: of requests.
        memory: what all connections together may keep for requests.
        poller: of the supervisor.
        on_request: called with a connection that has received a request.
        on_crowded: called with the number of open connections when one was closed for another.
        clock: monotonic, seconds.

    Attributes:
        listens_everywhere: whether it listens on all interfaces, because none has the address.
    """

    def __init__(
        self,
        host: str,
        port: int,
        most: int,
        limits: Limits,
        memory: RequestMemory,
        poller: Poller,
        on_request: Callable[[AskingPeer], None],
        on_crowded: Callable[[int], None],
        clock: Callable[[], float],
    ) -> None:
        self._host = host.strip("[]")
        self._port = port
        self._most = most
        self._limits = limits
        self._memory = memory
        self._poller = poller
        self._on_request = on_request
        self._on_crowded = on_crowded
        self._clock = clock
        self._socket: socket.socket | None = None
        self._peers: set[AskingPeer] = set()
        self._accept_at: float | None = None
        self._sweep_at: float | None = None
        self.listens_everywhere = False

    def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is not available.
        """
        try:
            listening = _listen(self._host, self._port)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL and not isinstance(error, socket.gaierror):
                raise
            # The pod's published address may not belong to one of its own interfaces.
            listening = _listen("::" if ":" in self._host else "", self._port)
            self.listens_everywhere = True
        self._socket = listening
        self._poller.watch(listening, self._accept)

    def close(self) -> None:
        """Close all connections and free the port."""
        if self._socket is not None:
            self._poller.forget(self._socket)
            self._socket.close()
            self._socket = None
        for peer in list(self._peers):
            peer.close()

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: nothing is due."""
        if self._sweep_at is None or self._accept_at is None:
            return self._accept_at if self._sweep_at is None else self._sweep_at
        return min(self._sweep_at, self._accept_at)

    def tick(self, now: float) -> None:
        """Do what is due at `now`."""
        if self._accept_at is not None and now >= self._accept_at and self._socket is not None:
            self._accept_at = None
            self._poller.pause(self._socket, False)
        if self._sweep_at is not None and now >= self._sweep_at:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Let the peers do what is due, and find out when to do so again.

        A time that a peer sets until then is noticed a little late. Looking at all of them whenever
        the loop asks for a deadline would cost each task of the worker some time.
        """
        for peer in list(self._peers):
            peer.tick(now)
        earliest = min((peer.due for peer in self._peers), default=None)
        self._sweep_at = None if earliest is None else min(earliest, now + _SWEEP_EVERY)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_A_TURN):
            if self._socket is None:
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_DESCRIPTOR:
                    raise
                self._make_room()
                self._poller.pause(self._socket, True)
                self._accept_at = self._clock() + _ACCEPT_AGAIN
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if len(self._peers) >= self._most and not self._make_room():
                sock.close()
                continue
            peer = AskingPeer(
                sock,
                self._limits,
                self._memory,
                self._poller,
                self._on_request,
                self._peers.discard,
                self._clock,
            )
            self._peers.add(peer)
            peer.start()
            self._sweep_at = min(peer.due, self._sweep_at or peer.due)

    def _make_room(self) -> bool:
        """Close the connection that has been idle longest; return False if none is idle."""
        self._on_crowded(len(self._peers))
        idle = [peer for peer in self._peers if not peer.is_busy]
        if not idle:
            return False
        min(idle, key=lambda peer: peer.heard_at).close()
        return True


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    return listening
