"""Begins to serve peers when there is something to serve: mode v1 never loads that code."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...config.settings import Config
    from ...log import Log
    from ..loop.poller import Poller
    from .peers import Peers


class LatePeers:
    """The served results of this algorithm, from the first one on.

    Args:
        config: the settings.
        log: the wrapper's log.
        poller: of the supervisor.
        send: sends an encoded message to the worker.
    """

    def __init__(
        self, config: Config, log: Log, poller: Poller, send: Callable[[bytes], None]
    ) -> None:
        self._config = config
        self._log = log
        self._poller = poller
        self._send = send
        self._peers: Peers | None = None

    def begin(self) -> Peers:
        """Begin to serve, unless that has begun."""
        if self._peers is None:
            from .peers import Peers

            self._peers = Peers(self._config, self._log, self._poller, self._send)
        return self._peers

    def take(self, handover: socket.socket) -> bool:
        """Hold what was handed over; return False if the other end is closed."""
        return self.begin().take(handover)

    def take_note(self, note: bytes | bytearray) -> None:
        """Hold what was handed over in a frame."""
        if self._peers is not None:
            self._peers.take_note(note)

    def deadline(self) -> float | None:
        """Return when `tick` is due, a monotonic time."""
        return None if self._peers is None else self._peers.deadline()

    def tick(self, now: float) -> None:
        """Do what is due."""
        if self._peers is not None:
            self._peers.tick(now)

    def close(self) -> None:
        """End all service."""
        if self._peers is not None:
            self._peers.close()
