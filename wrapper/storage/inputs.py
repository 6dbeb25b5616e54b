"""Reads stored inputs: from the cache, then from peers, then from the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from ..errors import StorageError
from ..protocol.messages.node_results import is_big, without_links
from .cache import Cache
from .format.dotted_path import MISSING, put_at, value_at
from .format.encoded import Encoded, decode_value, size_error
from .format.references import StoragePlaceholder, StoredReference, references, result_link
from .parallel import in_parallel
from .quick_reads import read_while_fast
from .stores.retries import Retries
from .stores.store import Store

# Asks the peers that the links name; returns the values that they have, by path. Never raises.
AskPeers = Callable[[Sequence[StoredReference]], Mapping[str, Encoded]]


class Sources(NamedTuple):
    """The sources of stored values.

    Attributes:
        store: Files or S3.
        retries: Repeats failed reads.
        cache: Values read before.
        ask_peers: Reads values from peers; None to ask no peers.
        encoding: Encoding of values without a header.
        cluster: Name of the cluster, which starts the paths of results.
        warn: Writes a warning to the log.
    """

    store: Store
    retries: Retries
    cache: Cache
    ask_peers: AskPeers | None
    encoding: str
    cluster: str
    warn: Callable[[str], None]


def fill_input(job: MutableMapping[str, Any], sources: Sources) -> None:
    """Replace the references in a job's `input` with the stored values.

    Args:
        job: The data of the `initialize` message.
        sources: Where to read the values.

    Raises:
        StorageError: A value cannot be read; the message names its place and its key.
    """
    if job.get("useCache") is False:  # keep nothing for later tasks
        sources.cache.clear()
        sources = sources._replace(cache=Cache(0))
    wanted = list(references(job, sources.cluster))
    if not wanted:
        return
    values = _StoredValues(wanted, sources)
    for reference in wanted:
        found = [values.take(link) for link in reference.links]
        value = found if reference.is_batch else found[0]
        if not put_at({"input": job.get("input")}, f"input.{reference.position}", value):
            raise StorageError(
                f"HKube's flatInput names input.{reference.position}, which does not exist"
            )


def _read_link(link: StoredReference, sources: Sources) -> Any:
    """Read the value of a single link.

    Raises:
        StorageError: The value cannot be read; the message names its path.
    """
    return _StoredValues([StoragePlaceholder("", "", [link], False)], sources).take(link)


def fetch_response(response: Any, sources: Sources) -> Any:
    """Replace the links in the answer to a call of HKubeApi with the stored values.

    The answer may be a link itself; in a list of node results, each large result is a link. The
    values are not cached, because no other task reads them and the job may have `useCache: false`.

    Raises:
        StorageError: A value cannot be read.
    """
    sources = sources._replace(cache=Cache(0))
    link = result_link(response)
    value = response if link is None else _read_link(link, sources)
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and "result" not in entry and is_big(entry.get("info")):
                large = result_link({"storageInfo": entry.pop("info")})
                assert large is not None
                entry["result"] = _read_link(large, sources)
    return without_links(value)


class _StoredValues:
    """The values of several references; each object is read once.

    Args:
        wanted: The places to fill.
        sources: Where to read the values.
    """

    def __init__(self, wanted: Sequence[StoragePlaceholder], sources: Sources) -> None:
        self._sources = sources
        self._names = _names(wanted)
        self._encoded: dict[str, Encoded] = {}
        self._decoded: dict[str, _Decoded] = {}
        self._uses: dict[str, int] = {}
        # The cache or the peer that a value came from. If it is corrupt, the storage is read.
        self._origins: dict[str, str] = {}
        links: dict[str, StoredReference] = {}
        for link in (link for reference in wanted for link in reference.links):
            self._uses[link.path] = self._uses.get(link.path, 0) + 1
            if link.path not in links or links[link.path].peer is None:
                links[link.path] = link
        self._links = links
        self._read_from_all_sources(list(links.values()))

    def take(self, link: StoredReference) -> Any:
        """Return the value of a link; no other caller gets the same mutable object."""
        path, inner = link.path, link.inner
        decoded = self._decoded.get(path)
        if decoded is None or decoded.overlaps(inner):
            decoded = self._decoded[path] = _Decoded(self._decode(path))
        value = decoded.take(inner)
        self._uses[path] -= 1
        if not self._uses[path]:
            self._decoded.pop(path, None)
            self._encoded.pop(path, None)
        return value

    def _read_from_all_sources(self, links: list[StoredReference]) -> None:
        missing = [link for link in links if not self._is_cached(link)]
        asked = [link for link in missing if link.peer is not None]
        if asked and self._sources.ask_peers is not None:
            for path, encoded in self._sources.ask_peers(asked).items():
                self._take_from_peer(self._links[path], encoded)
        store, rest = self._sources.store, self._without_found(missing)
        self._encoded.update(read_while_fast(store, rest))
        in_parallel(self._read_from_store, self._without_found(rest), store.readers)

    def _without_found(self, links: list[StoredReference]) -> list[StoredReference]:
        return [link for link in links if link.path not in self._encoded]

    def _is_cached(self, link: StoredReference) -> bool:
        found = self._sources.cache.get(link.path)
        if found is not None:
            self._encoded[link.path] = found
            self._origins[link.path] = "the cache"
        return found is not None

    def _take_from_peer(self, link: StoredReference, encoded: Encoded) -> None:
        assert link.peer is not None
        origin = f"the peer {link.peer.host}:{link.peer.port}"
        if (error := size_error(encoded, link.size)) is not None:
            self._warn_about(origin, link.path, error)
        else:
            self._encoded[link.path] = encoded
            self._origins[link.path] = origin

    def _read_from_store(self, link: StoredReference) -> None:
        try:
            self._encoded[link.path] = self._sources.retries.run(
                f"reading {link.path}",
                lambda: self._sources.store.read(link.path),
                # The peer announces a result before it has finished writing it.
                await_missing=link.peer is not None,
            )
        except StorageError as error:
            raise self._named(link.path, error) from None

    def _decode(self, path: str) -> Any:
        # On the last use, release the bytes so that the value is not in memory twice.
        last = self._uses[path] == 1
        encoded = self._encoded.pop(path) if last else self._encoded[path]
        link, origin = self._links[path], self._origins.pop(path, None)
        try:
            value = decode_value(encoded, self._sources.encoding, link.size)
        except StorageError as error:
            if origin is None:
                raise self._named(path, error) from None
            self._warn_about(origin, path, error)
        else:
            self._sources.cache.put(path, encoded)
            return value
        self._read_from_store(link)
        return self._decode(path)

    def _warn_about(self, origin: str, path: str, error: StorageError) -> None:
        self._sources.warn(f"{path} from {origin}: {error}; reading from the storage")

    def _named(self, path: str, error: StorageError) -> StorageError:
        return StorageError(f"{self._names[path]} cannot be read from {path}: {error}")


class _Decoded:
    """A decoded value whose parts are given out."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._given: set[str] = set()  # the inner paths that were given out
        self._above: set[str] = set()  # and the paths of their parents

    def overlaps(self, inner: str) -> bool:
        """Return whether an inner path overlaps with a part that was given out."""
        return inner in self._above or not self._given.isdisjoint(_with_parents(inner))

    def take(self, inner: str) -> Any:
        """Return the value at a dotted path; like HKube, return None if the path does not exist."""
        self._given.add(inner)
        self._above.update(_with_parents(inner))
        if not inner:
            return self._value
        found = value_at(self._value, inner)
        return None if found is MISSING else found


def _with_parents(inner: str) -> set[str]:
    """Return a path and its parents: `a.b`, `a` and the empty path for `a.b`."""
    steps = inner.split(".") if inner else []
    return {".".join(steps[:taken]) for taken in range(len(steps) + 1)}


def _names(wanted: Sequence[StoragePlaceholder]) -> dict[str, str]:
    """Return the name of each value in error messages, by path: the place that it fills."""
    names: dict[str, str] = {}
    for reference in wanted:
        for number, link in enumerate(reference.links):
            item = f"[{number}]" if reference.is_batch else ""
            place = f"input.{reference.position}{item} (the link {reference.key!r})"
            names.setdefault(link.path, place if reference.key else "the answer")
    return names
