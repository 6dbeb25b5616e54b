"""Reading what a task's input refers to: from the cache, from peers, from the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple

from ..errors import StorageError
from .cache import Cache
from .format.dotted_path import MISSING, put_at, value_at
from .format.encoded import Encoded, decode_value, too_short
from .format.references import StoragePlaceholder, StoredReference, references, result_link
from .parallel import in_parallel
from .stores.retries import Retries
from .stores.store import Store

# How many objects are read at once.
_WORKERS = 8

# Asks peers for the links that name one; gives what they had, by path. Never raises.
AskPeers = Callable[[Sequence[StoredReference]], Mapping[str, Encoded]]


class Sources(NamedTuple):
    """Where values come from.

    Attributes:
        store: files or S3.
        retries: how often the store is asked.
        cache: what was read before.
        ask_peers: None: peers are not asked.
        encoding: of what has no header.
        cluster: first part of the paths of results.
        warn: takes a line for the log.
    """

    store: Store
    retries: Retries
    cache: Cache
    ask_peers: AskPeers | None
    encoding: str
    cluster: str
    warn: Callable[[str], None]


def fill_input(job: MutableMapping[str, Any], sources: Sources) -> None:
    """Put the stored values into the `input` of a job, in place of what refers to them.

    Args:
        job: the data of ``initialize``.
        sources: where they come from.

    Raises:
        StorageError: a value cannot be had; the text names its place and its key.
    """
    if job.get("useCache") is False:  # nothing is to be kept for later tasks
        sources.cache.clear()
        sources = sources._replace(cache=Cache(0))
    wanted = list(references(job, sources.cluster))
    if not wanted:
        return
    values = _Values(wanted, sources)
    for reference in wanted:
        found = [values.take(link) for link in reference.links]
        value = found if reference.is_batch else found[0]
        if not put_at({"input": job.get("input")}, f"input.{reference.position}", value):
            raise StorageError(
                f"HKube's flatInput names input.{reference.position}, which the input does not have"
            )


def read_link(link: StoredReference, sources: Sources) -> Any:
    """The value of one link, apart from any task's input.

    Raises:
        StorageError: it cannot be had; the text names its path.
    """
    return _Values([StoragePlaceholder("", "", [link], False)], sources).take(link)


def fetch_response(response: Any, sources: Sources) -> Any:
    """What an answer to a call of HKubeApi refers to; an answer that is the value stays itself.

    In a list of nodes' results the large ones are links of their own. None of it is kept: no other
    task asks for it, and the job may have `useCache: false`.

    Raises:
        StorageError: it cannot be had.
    """
    sources = sources._replace(cache=Cache(0))
    link = result_link(response)
    value = response if link is None else read_link(link, sources)
    if isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict) and "result" not in entry and _is_big(entry.get("info")):
                large = result_link({"storageInfo": entry.pop("info")})
                assert large is not None
                entry["result"] = read_link(large, sources)
    return value


def _is_big(info: object) -> bool:
    return isinstance(info, dict) and info.get("isBigData") is True


class _Values:
    """The values of several references, each object read once.

    Args:
        wanted: all places to be filled.
        sources: where the values come from.
    """

    def __init__(self, wanted: Sequence[StoragePlaceholder], sources: Sources) -> None:
        self._sources = sources
        self._names = _names(wanted)
        self._encoded: dict[str, Encoded] = {}
        self._decoded: dict[str, _Decoded] = {}
        self._uses: dict[str, int] = {}
        # Who gave what is not from the storage, for the log: if it is no good, the storage is read.
        self._givers: dict[str, str] = {}
        links: dict[str, StoredReference] = {}
        for link in (link for reference in wanted for link in reference.links):
            self._uses[link.path] = self._uses.get(link.path, 0) + 1
            if link.path not in links or links[link.path].peer is None:
                links[link.path] = link
        self._links = links
        self._read_all(list(links.values()))

    def take(self, link: StoredReference) -> Any:
        """The value of one of the links; what it holds is handed out to nobody else."""
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

    def _read_all(self, links: list[StoredReference]) -> None:
        missing = [link for link in links if not self._is_cached(link)]
        asked = [link for link in missing if link.peer is not None]
        if asked and self._sources.ask_peers is not None:
            for path, encoded in self._sources.ask_peers(asked).items():
                self._take_from_peer(self._links[path], encoded)
        in_parallel(
            self._read, [link for link in missing if link.path not in self._encoded], _WORKERS
        )

    def _is_cached(self, link: StoredReference) -> bool:
        found = self._sources.cache.get(link.path)
        if found is not None:
            self._encoded[link.path] = found
            self._givers[link.path] = "the cache"
        return found is not None

    def _take_from_peer(self, link: StoredReference, encoded: Encoded) -> None:
        assert link.peer is not None
        giver = f"the peer {link.peer.host}:{link.peer.port}"
        if (fault := too_short(encoded, link.size)) is not None:
            self._warn_of(giver, link.path, fault)
        else:
            self._encoded[link.path] = encoded
            self._givers[link.path] = giver

    def _read(self, link: StoredReference) -> None:
        try:
            self._encoded[link.path] = self._sources.retries.run(
                f"reading {link.path}",
                lambda: self._sources.store.read(link.path),
                # A peer that told where its result will be may still be writing it.
                await_missing=link.peer is not None,
            )
        except StorageError as error:
            raise self._named(link.path, error) from None

    def _decode(self, path: str) -> Any:
        # The last use lets go of the bytes before the value is there twice.
        last = self._uses[path] == 1
        encoded = self._encoded.pop(path) if last else self._encoded[path]
        link, giver = self._links[path], self._givers.pop(path, None)
        try:
            value = decode_value(encoded, self._sources.encoding, link.size)
        except StorageError as error:
            if giver is None:
                raise self._named(path, error) from None
            self._warn_of(giver, path, error)
        else:
            self._sources.cache.put(path, encoded)
            return value
        self._read(link)
        return self._decode(path)

    def _warn_of(self, giver: str, path: str, fault: StorageError) -> None:
        self._sources.warn(f"{path} from {giver}: {fault}; reading from the storage")

    def _named(self, path: str, error: StorageError) -> StorageError:
        return StorageError(f"{self._names[path]} cannot be read from {path}: {error}")


class _Decoded:
    """A decoded value, of which parts are handed out."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._given: set[str] = set()  # the inner paths that were handed out
        self._above: set[str] = set()  # and all that lead to one of them

    def overlaps(self, inner: str) -> bool:
        """Whether a part of what is there was handed out already."""
        return inner in self._above or not self._given.isdisjoint(_lead_to(inner))

    def take(self, inner: str) -> Any:
        """What is at a dotted path; None if there is nothing, as HKube has it."""
        self._given.add(inner)
        self._above.update(_lead_to(inner))
        if not inner:
            return self._value
        found = value_at(self._value, inner)
        return None if found is MISSING else found


def _lead_to(inner: str) -> set[str]:
    """A path and all that lead to it: `a.b` has `a.b`, `a` and the empty one."""
    steps = inner.split(".") if inner else []
    return {".".join(steps[:taken]) for taken in range(len(steps) + 1)}


def _names(wanted: Sequence[StoragePlaceholder]) -> dict[str, str]:
    """What an error calls the value at a path: the place that it is for."""
    names: dict[str, str] = {}
    for reference in wanted:
        for number, link in enumerate(reference.links):
            item = f"[{number}]" if reference.is_batch else ""
            place = f"input.{reference.position}{item} (the link {reference.key!r})"
            names.setdefault(link.path, place if reference.key else "the answer")
    return names
