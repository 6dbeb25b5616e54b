"""Mode v3: holds the results that the algorithm process hands over, and serves them to peers.

Peers are other algorithms. Only this folder of the supervisor knows the storage. It is imported
only where results are served.
"""

from __future__ import annotations

import resource
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...protocol.encoding.encoding import get_encoding
from ...protocol.messages.commands import SERVING_STATUS
from ...storage.peers.handover import Offer, answer, read_note, receive, refuse
from ...storage.peers.held_results import HeldResults
from ..loop.poller import Poller
from .server import PeerServer

if TYPE_CHECKING:
    from ...config.settings import Config
    from ...log import Log

_MEGABYTE = 1024 * 1024
_MAX_MAPPED = 4096
_MAX_CONNECTIONS = 1024  # to each of the two ports


class Peers:
    """Holds results and serves them.

    Args:
        config: the settings.
        log: the wrapper's log.
        poller: of the supervisor.
        send: sends an encoded message to the worker.
    """

    def __init__(
        self, config: Config, log: Log, poller: Poller, send: Callable[[bytes], None]
    ) -> None:
        budget = config.discovery.max_cache_size * _MEGABYTE
        self._held = HeldResults(budget, _max_mapped())
        encoding = get_encoding(config.encoding)
        status = encoding.encode({"command": SERVING_STATUS, "data": True}, "status")
        self._log = log
        self._server = server = PeerServer(
            config.discovery,
            self._held,
            poller,
            lambda: send(status),
            self._warn_of_crowd,
            _max_connections(),
        )
        self._handover: socket.socket | None = None  # the one that brought the last result
        where = f"{config.discovery.host}:{config.discovery.port}"
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
            self._is_serving = True
            bound = ""
            if server.listens_everywhere:
                bound = (
                    ": on all interfaces, because none of this machine has the address in POD_IP"
                )
            log.info(f"serving results to other algorithms at {where}{bound}")

    def close(self) -> None:
        """Stop serving."""
        self._is_serving = False
        self._server.close()

    def deadline(self) -> float | None:
        """Return when to call `tick` next; None: nothing is due."""
        return self._server.deadline()

    def tick(self, now: float) -> None:
        """Serve those who have asked, and do what is due at `now`."""
        self._server.tick(now)

    def _warn_of_crowd(self, connections: int) -> None:
        self._log.warning(
            f"{connections:,} connections to a port that serves results are open: for each new one "
            "the one that was idle longest is closed. A higher limit for open files (ulimit -n) "
            f"admits more, up to {_MAX_CONNECTIONS:,}"
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
    """Return how many connections a port may have: both take a quarter of what may be open."""
    return min(_MAX_CONNECTIONS, _max_files() // 8)


def _max_files() -> int:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return limit if limit >= 0 else 4 * _MAX_MAPPED
