"""One request to one address and its reply, over ZeroMQ's protocol, without waiting."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from threading import Thread
from typing import Any

from ...protocol.zmtp.connection import ZmtpConnection
from ...protocol.zmtp.envelope import EMPTY, open_envelope
from ...protocol.zmtp.frames import Limits, Piece, ZmtpError, message_pieces
from ...protocol.zmtp.handshake import REQ, Ready

_OWN = Ready(REQ, b"")
_READS_A_TURN = 16  # then other peers have their turn, and the time limit is looked at


class ExchangeError(Exception):
    """The peer cannot be reached, or does not do what it should; the text says what."""


class Exchange:
    """Connects, sends a request and receives the reply.

    Wait until `fileno()` is readable (or writable, while `wants_room`), then call `advance`.

    Args:
        host: Address or name of the peer.
        port: TCP port.
        request: What to send.
        limits: Of the reply.

    Raises:
        ExchangeError: There is no way to the peer.
    """

    def __init__(self, host: str, port: int, request: bytes, limits: Limits) -> None:
        self._request: bytes | None = request
        self._zmtp = ZmtpConnection(_OWN, limits)
        self._lookup: _Lookup | None = None
        self._socket: socket.socket | None = None
        self._outgoing = bytearray(self._zmtp.opening)
        found = _numeric(host.strip("[]"), port)
        if found is None:
            self._lookup = _Lookup(host, port)
        else:
            self._connect(found)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        waits_for = self._socket if self._lookup is None else self._lookup.done
        assert waits_for is not None
        return waits_for.fileno()

    @property
    def wants_room(self) -> bool:
        """Whether there is something to send."""
        return self._lookup is None and len(self._outgoing) > 0

    def advance(self) -> list[Piece] | None:
        """Do what can be done now; return the parts of the reply when it is complete.

        Raises:
            ExchangeError: The peer cannot be reached, or does not do what it should.
        """
        if self._lookup is not None:
            found = self._lookup.result()
            if found is None:
                return None
            self._lookup.close()
            self._lookup = None
            self._connect(found)
        try:
            self._send()
            return self._receive()
        except (BlockingIOError, InterruptedError):
            return None
        except ZmtpError as error:
            raise ExchangeError(f"its reply is invalid: {error}") from None
        except OSError as error:
            raise _unreachable(error) from None

    def close(self) -> None:
        """Close the connection."""
        for each in (self._socket, self._lookup):
            if each is not None:
                each.close()

    def _connect(self, found: Sequence[Any]) -> None:
        family, kind, protocol, _, address = found
        try:
            self._socket = sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = sock.connect_ex(address)
        except OSError as error:
            self.close()
            raise _unreachable(error) from None
        if code not in (0, errno.EINPROGRESS):
            self.close()
            raise _unreachable(OSError(code, os.strerror(code)))

    def _send(self) -> None:
        assert self._socket is not None
        while self._outgoing:
            sent = self._socket.send(self._outgoing)
            del self._outgoing[:sent]

    def _receive(self) -> list[Piece] | None:
        assert self._socket is not None
        for _ in range(_READS_A_TURN):
            space = self._zmtp.space()
            asked = len(space)
            count = self._socket.recv_into(space)
            if not count:
                raise ExchangeError("it closed the connection")
            received = self._zmtp.filled(count)
            self._outgoing += received.reply
            if self._zmtp.is_ready and self._request is not None:
                for piece in message_pieces([EMPTY, self._request]):
                    self._outgoing += piece
                self._request = None
            if received.messages:
                opened = open_envelope(received.messages[0])
                if opened is None:
                    raise ExchangeError("its reply has no empty frame in front")
                return opened.body
            self._send()
            if count < asked:
                break
        return None


class _Lookup:
    """Looks up the address of a name in a thread of its own, since that may take long.

    Attributes:
        done: Readable when the result is there.
    """

    def __init__(self, host: str, port: int) -> None:
        self._found: list[Any] = []
        self._error: OSError | None = None
        self._is_done = False
        self.done, ours = socket.socketpair()
        try:
            thread = Thread(
                target=self._look_up, args=(host, port, ours), name="hkube-resolve", daemon=True
            )
            thread.start()
        except RuntimeError as error:  # no memory, or too many threads
            ours.close()
            self.close()
            raise ExchangeError(f"cannot look up its name: {error}") from None

    def result(self) -> Sequence[Any] | None:
        """Return the first address; None while it is looked up.

        Raises:
            ExchangeError: There is none.
        """
        if not self._is_done:
            return None
        if self._error is not None:
            raise _unreachable(self._error)
        return self._found[0]  # type: ignore[no-any-return]

    def close(self) -> None:
        """Stop waiting for the result."""
        self.done.close()

    def _look_up(self, host: str, port: int, ours: socket.socket) -> None:
        try:
            self._found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            self._error = error
        except UnicodeError as error:  # a label that is too long or empty
            self._error = OSError(str(error))
        self._is_done = True
        ours.close()


def _numeric(host: str, port: int) -> Sequence[Any] | None:
    """Return the address if the host is an address and not a name."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)[
            0
        ]
    except (OSError, UnicodeError):
        return None


def _unreachable(error: OSError) -> ExchangeError:
    return ExchangeError(f"cannot connect to it: {error.strerror or error}")
