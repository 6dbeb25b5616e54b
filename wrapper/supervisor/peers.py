"""Mode v3: results that the algorithm process hands over, held and served to other algorithms.

The only place of the supervisor that knows the storage; imported if peers are to be served.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..protocol.commands import SERVING_STATUS
from ..protocol.encoding import get_encoding
from ..storage.handover import answer, receive
from ..storage.held_results import HeldResults
from ..storage.peer_server import PeerServer

if TYPE_CHECKING:
    from ..config import Config
    from ..log import Log

_MEGABYTE = 1024 * 1024


class Peers:
    """Holds results and serves them.

    Args:
        config: the settings.
        log: the wrapper's log.
        send: sends an encoded message to the worker; safe from any thread.
    """

    def __init__(self, config: Config, log: Log, send: Callable[[bytes], None]) -> None:
        self._held = HeldResults(config.discovery.max_cache_size * _MEGABYTE)
        self._is_serving = False
        encoding = get_encoding(config.encoding)
        status = encoding.encode({"command": SERVING_STATUS, "data": True}, "status")
        self._server = server = PeerServer(config.discovery, self._held, lambda: send(status))
        where = f"{config.discovery.host}:{config.discovery.port}"
        try:
            server.start()
        except OSError as error:
            log.warning(
                f"results are not served to other algorithms, they read the storage: {where}, or "
                f"the next port, cannot be listened on ({error.strerror or error}): set "
                "DISCOVERY_PORT, or DISCOVERY_ENABLE to false"
            )
        else:
            self._is_serving = True
            log.info(f"results are served to other algorithms at {where}")

    def close(self) -> None:
        """Serve no more."""
        if self._is_serving:
            self._server.close()

    def take(self, sock: socket.socket) -> bool:
        """Take what has been handed over; False if the other end is closed."""
        try:
            offer = receive(sock)
        except BlockingIOError:
            return True
        except (EOFError, OSError):
            return False
        if offer is not None:
            is_held = self._is_serving and self._held.hold(offer.task_id, offer.result)
            answer(sock, offer.number, is_held)
        return True
