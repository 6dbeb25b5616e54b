"""Mode v3: holds the results that the algorithm process hands over, and serves them to peers.

Peers are other algorithms. This is the only module of the supervisor that knows the storage, and it
is imported only where results are served.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..protocol.encoding.encoding import get_encoding
from ..protocol.messages.commands import SERVING_STATUS
from ..storage.peers.handover import Offer, answer, read_note, receive, refuse
from ..storage.peers.held_results import HeldResults
from ..storage.peers.server import PeerServer

if TYPE_CHECKING:
    from ..config.settings import Config
    from ..log import Log

_MEGABYTE = 1024 * 1024
_MAX_MAPPED = 4096
_MAX_CONNECTIONS = 4096


class Peers:
    """Holds results and serves them.

    Args:
        config: the settings.
        log: the wrapper's log.
        send: sends an encoded message to the worker; must be safe from any thread.
    """

    def __init__(self, config: Config, log: Log, send: Callable[[bytes], None]) -> None:
        budget = config.discovery.max_cache_size * _MEGABYTE
        self._held = HeldResults(budget, _max_mapped())
        encoding = get_encoding(config.encoding)
        status = encoding.encode({"command": SERVING_STATUS, "data": True}, "status")
        self._log = log
        self._server = server = PeerServer(
            config.discovery,
            self._held,
            lambda: send(status),
            self._ended,
            _max_connections(),
            self._refused,
        )
        self._handover: socket.socket | None = None  # the one that brought the last result
        where = f"{config.discovery.host}:{config.discovery.port}"
        self._is_serving = True  # set before the thread starts, which may set it to False
        try:
            server.start()
        except OSError as error:
            self._is_serving = False
            log.warning(
                f"cannot listen on {where} or the next port ({error.strerror or error}); other "
                "algorithms will read results from the storage: set DISCOVERY_PORT, or set "
                "DISCOVERY_ENABLE to false"
            )
        else:
            log.info(f"serving results to other algorithms at {where}")

    def close(self) -> None:
        """Stop serving."""
        self._is_serving = False
        self._server.close()

    def _ended(self, error: Exception) -> None:
        self._is_serving = False  # from now on HKube is not told that results are held here
        if self._handover is not None:
            refuse(self._handover)
        self._log.error(
            "results are no longer served to other algorithms, which will read the storage: "
            f"{type(error).__name__}: {error}"
        )

    def _refused(self, connections: int) -> None:
        self._log.warning(
            f"refused connections to the ports that serve results: {connections:,} are open. The "
            "others read the storage; a limit for open files (ulimit -n) of four times as many "
            "admits them"
        )

    def take(self, sock: socket.socket) -> bool:
        """Hold what was handed over; return False if the other end is closed."""
        try:
            offer = receive(sock)
        except BlockingIOError:
            return True
        except (EOFError, OSError):
            return False
        self._handover = sock
        if offer is not None:
            answer(sock, offer.number, self._hold(offer))
        return True

    def take_note(self, note: bytes | bytearray) -> None:
        """Hold what was handed over in a frame, for which the algorithm process does not wait."""
        offer = read_note(note)
        if (offer is None or not self._hold(offer)) and self._handover is not None:
            refuse(self._handover)

    def _hold(self, offer: Offer) -> bool:
        result = offer.result if self._is_serving else None
        return result is not None and self._held.hold(offer.task_id, result)


def _max_mapped() -> int:
    """Return how many results may use a file descriptor: half of what this process may open."""
    return min(_MAX_MAPPED, _max_files() // 2)


def _max_connections() -> int:
    """Return how many connections may be open: a quarter of what this process may open."""
    return min(_MAX_CONNECTIONS, _max_files() // 4)


def _max_files() -> int:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit if limit >= 0 else 4 * _MAX_MAPPED
