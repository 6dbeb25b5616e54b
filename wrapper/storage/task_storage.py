"""Storage mode v3 for the algorithm process: one object serves all tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from .cache import Cache
from .inputs import AskPeers, Sources, fetch_response, fill_input
from .results import Hold, Holding, ResultOrigin, Sink, store_inputs, store_result
from .stores.open_store import open_store
from .stores.retries import Retries

if TYPE_CHECKING:
    import socket

    from ..config.storage_settings import DiscoverySettings, StorageSettings
    from .format.encoded import Encoded
    from .format.references import StoredReference
    from .peers.client import PeerClient

_MEGABYTE = 1024 * 1024


class TaskStorage:
    """Reads the inputs of tasks and writes their results.

    Args:
        settings: Kind and place of the storage, and its encoding.
        discovery: How to ask peers, and where they can reach this algorithm.
        warn: Writes a warning to the log.
        handover: Socket to the supervisor, which keeps results for peers; None to keep none.
    """

    def __init__(
        self,
        settings: StorageSettings,
        discovery: DiscoverySettings,
        warn: Callable[[str], None],
        handover: socket.socket | None = None,
    ) -> None:
        store = open_store(settings)
        retries = Retries(settings.retry_timeout, warn)
        cache = Cache(settings.max_cache_size * _MEGABYTE)
        encoding, cluster = settings.encoding, settings.cluster_name
        ask_peers = _ask_peers(discovery, warn)
        hold = None if handover is None else _hold(handover, discovery)
        self._sources = Sources(store, retries, cache, ask_peers, encoding, cluster, warn)
        self._sink = Sink(store, retries, hold, encoding, cluster, warn)

    def fill_input(self, job: MutableMapping[str, Any]) -> None:
        """Replace the references in a job's input with values; see `inputs.fill_input`."""
        fill_input(job, self._sources)

    def store_result(
        self,
        source: ResultOrigin,
        take_result: Callable[[], Any],
        send: Callable[[Mapping[str, Any], bytes], None],
    ) -> Mapping[str, Any] | None:
        """Store a task's result and report its path; see `results.store_result`."""
        return store_result(source, take_result, self._sink, send)

    def store_inputs(self, job_id: str, items: Sequence[Any]) -> dict[str, str]:
        """Store the inputs of an algorithm that user code starts; see `results.store_inputs`."""
        return store_inputs(job_id, items, self._sink)

    def fetch_response(self, response: Any) -> Any:
        """Read the values that an answer of HKube links to; see `inputs.fetch_response`."""
        return fetch_response(response, self._sources)


def _ask_peers(discovery: DiscoverySettings, warn: Callable[[str], None]) -> AskPeers:
    client: PeerClient | None = None

    def ask(links: Sequence[StoredReference]) -> Mapping[str, Encoded]:
        # Created on first use, because ZeroMQ is slow to import and starts a thread.
        nonlocal client
        if client is None:
            from .peers.client import PeerClient

            client = PeerClient(discovery, warn)
        return client.ask(links)

    return ask


def _hold(handover: socket.socket, discovery: DiscoverySettings) -> Hold:
    from .peers.handover import Handover

    supervisor = Handover(handover, discovery.max_cache_size * _MEGABYTE)
    address = {"host": discovery.host, "port": str(discovery.port)}

    def hold(task_id: str, encoded: Encoded) -> Holding | None:
        note = supervisor.note(task_id, encoded)
        if note is not None:
            return Holding(address, note)
        return Holding(address, b"") if supervisor.offer(task_id, encoded) else None

    return hold
