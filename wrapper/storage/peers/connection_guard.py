"""Limits the connections to the ports that serve peers.

ZeroMQ accepts every connection, and each takes a file descriptor of the supervisor. Without a
limit, idle strangers could take them all, and the supervisor could not reconnect to the worker or
replace a stuck algorithm.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Callable
from itertools import count
from typing import Any

import zmq

_EVENT = struct.Struct("=Hi")  # number of the event, its value
_OPENED = zmq.EVENT_ACCEPTED
_CLOSED = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)
_ACCEPT_FAILED = zmq.EVENT_ACCEPT_FAILED
_numbers = count()


class ConnectionGuard:
    """Knows the open connections of listening sockets, and closes the newest above a limit.

    Args:
        context: the sockets' ZeroMQ context.
        most: how many connections may be open.
        on_refused: called with the number of open connections when one was closed.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        most: int,
        on_refused: Callable[[int], None],
    ) -> None:
        self._context = context
        self._most = most
        self._on_refused = on_refused
        self._ports: dict[zmq.Socket[bytes], int] = {}
        self._open: set[int] = set()  # file descriptors

    def guard(self, listening: zmq.Socket[bytes], port: int) -> zmq.Socket[bytes]:
        """Watch a socket; return another one, whose messages `take` has to receive.

        Call it before the socket is bound.

        Args:
            listening: the socket.
            port: where it will listen.
        """
        address = f"inproc://connections-{next(_numbers)}"
        listening.monitor(address, _OPENED | _CLOSED | _ACCEPT_FAILED)
        events = self._context.socket(zmq.PAIR)
        events.linger = 0
        events.rcvhwm = 0  # otherwise ZeroMQ's own thread waits for us
        events.connect(address)
        self._ports[events] = port
        return events

    def owns(self, events: zmq.Socket[bytes]) -> bool:
        """Whether this is a socket that `guard` returned."""
        return events in self._ports

    def take(self, events: zmq.Socket[bytes]) -> None:
        """Process all events that have arrived."""
        while True:
            try:
                message: list[Any] = events.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            event, value = _EVENT.unpack(message[0])
            if event & _OPENED:
                self._opened(value, self._ports[events])
            elif event & _CLOSED:
                self._open.discard(value)
            elif event & _ACCEPT_FAILED and value in (errno.EMFILE, errno.ENFILE):
                self._on_refused(len(self._open))

    def close(self) -> None:
        """Close the sockets that `guard` returned."""
        for events in self._ports:
            events.close()

    def _opened(self, fd: int, port: int) -> None:
        if len(self._open) < self._most:
            self._open.add(fd)
            return
        _shut_down(fd, port)
        self._on_refused(len(self._open))


def _shut_down(fd: int, port: int) -> None:
    """End a connection of ZeroMQ's, which then closes the descriptor itself.

    The connection may have ended before, and its number may belong to another file by now: only a
    connection to this port is ended. No new file descriptor is needed.
    """
    try:
        connection = socket.socket(fileno=fd)
    except OSError:
        return
    try:
        if connection.getsockname()[1] == port:
            connection.shutdown(socket.SHUT_RDWR)
    except (OSError, IndexError, TypeError):
        pass  # it has ended, or it is no connection of this kind
    finally:
        connection.detach()
