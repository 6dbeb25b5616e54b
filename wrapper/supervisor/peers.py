"""Mode v3: results that the algorithm process hands over, held and served to other algorithms.

The only place of the supervisor that knows the storage; imported if peers are to be served.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..protocol.encoding.encoding import get_encoding
from ..protocol.messages.commands import SERVING_STATUS
from ..storage.peers.handover import answer, receive
from ..storage.peers.held_results import HeldResults
from ..storage.peers.server import PeerServer

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log

_MEGABYTE = 1024 * 1024
_MOST_MAPPED = 4096


class Peers:
    """Holds results and serves them.

    Args:
        config: the settings.
        log: the wrapper's log.
        send: sends an encoded message to the worker; safe from any thread.
    """

    def __init__(self, config: Config, log: Log, send: Callable[[bytes], None]) -> None:
        budget = config.discovery.max_cache_size * _MEGABYTE
        self._held = HeldResults(budget, _most_mapped())
        encoding = get_encoding(config.encoding)
        status = encoding.encode({"command": SERVING_STATUS, "data": True}, "status")
        self._log = log
        self._server = server = PeerServer(
            config.discovery, self._held, lambda: send(status), self._ended
        )
        where = f"{config.discovery.host}:{config.discovery.port}"
        self._is_serving = True  # before the thread that may end it begins
        try:
            server.start()
        except OSError as error:
            self._is_serving = False
            log.warning(
                f"results are not served to other algorithms, they read the storage: {where}, or "
                f"the next port, cannot be listened on ({error.strerror or error}): set "
                "DISCOVERY_PORT, or DISCOVERY_ENABLE to false"
            )
        else:
            log.info(f"results are served to other algorithms at {where}")

    def close(self) -> None:
        """Serve no more."""
        self._is_serving = False
        self._server.close()

    def _ended(self, fault: Exception) -> None:
        self._is_serving = False  # HKube is told of no result any more that it is held
        self._log.error(
            "results are no longer served to other algorithms, they read the storage: "
            f"{type(fault).__name__}: {fault}"
        )

    def take(self, sock: socket.socket) -> bool:
        """Take what has been handed over; False if the other end is closed."""
        try:
            offer = receive(sock)
        except BlockingIOError:
            return True
        except (EOFError, OSError):
            return False
        if offer is not None:
            result = offer.result if self._is_serving else None
            is_held = result is not None and self._held.hold(offer.task_id, result)
            answer(sock, offer.number, is_held)
        return True


def _most_mapped() -> int:
    """How many results may take a file descriptor: half of what this process may have open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_MAPPED if limit < 0 else min(_MOST_MAPPED, limit // 2)
