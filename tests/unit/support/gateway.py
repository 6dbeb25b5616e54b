"""A listening worker that the test controls."""

from __future__ import annotations

import socket
import ssl

from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.unit.support.peer import LIMIT
from tests.unit.support.peer import Worker as Peer


class Gateway:
    """A listening worker whose connections the test accepts."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(LIMIT)
        self._context = context
        self._opened: list[socket.socket] = []
        self.port = int(self._server.getsockname()[1])

    def accept(self, *first: str) -> Peer:
        """Accept the next connection, and send messages in one piece with the answer."""
        sock, _ = self._server.accept()
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_side=True)
        sock.settimeout(LIMIT)
        self._opened.append(sock)
        peer = Peer(sock)
        peer.protocol = ServerProtocol(max_size=None)
        peer.protocol.receive_data(sock.recv(65536))
        [request] = peer.protocol.events_received()
        assert isinstance(request, Request)
        peer.protocol.send_response(peer.protocol.accept(request))
        assert peer.protocol.state is State.OPEN
        peer.send(*first)
        return peer

    def close(self) -> None:
        for sock in (self._server, *self._opened):
            sock.close()
