"""Storage mode v3 as the algorithm side uses it: one object for all tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from .cache import Cache
from .inputs import AskPeers, Sources, fetch_response, fill_input
from .results import Hold, Sink, Source, store_inputs, store_result
from .retries import Retries
from .store import open_store

if TYPE_CHECKING:
    from ..storage_settings import StorageSettings

_MEGABYTE = 1024 * 1024


class TaskStorage:
    """Reads the inputs of tasks and writes their results.

    Args:
        settings: where, and in which encoding.
        warn: takes a line for the log.
        ask_peers: see ``inputs.AskPeers``.
        hold: see ``results.Hold``.
    """

    def __init__(
        self,
        settings: StorageSettings,
        warn: Callable[[str], None],
        ask_peers: AskPeers | None = None,
        hold: Hold | None = None,
    ) -> None:
        store = open_store(settings)
        retries = Retries(settings.retry_timeout, warn)
        cache = Cache(settings.max_cache_size * _MEGABYTE)
        encoding, cluster = settings.encoding, settings.cluster_name
        self._sources = Sources(store, retries, cache, ask_peers, encoding, cluster)
        self._sink = Sink(store, retries, hold, encoding, cluster)

    def fill_input(self, job: MutableMapping[str, Any]) -> None:
        """Put the stored values into a job's input; see ``inputs.fill_input``."""
        fill_input(job, self._sources)

    def store_result(
        self,
        source: Source,
        take_result: Callable[[], Any],
        say: Callable[[Mapping[str, Any]], None],
    ) -> None:
        """Store a task's result and tell where it is; see ``results.store_result``."""
        store_result(source, take_result, self._sink, say)

    def store_inputs(self, job_id: str, items: Sequence[Any]) -> dict[str, str]:
        """Store what an algorithm that is started gets; see ``results.store_inputs``."""
        return store_inputs(job_id, items, self._sink)

    def fetch_response(self, response: Any) -> Any:
        """What an answer of HKube refers to; see ``inputs.fetch_response``."""
        return fetch_response(response, self._sources)
