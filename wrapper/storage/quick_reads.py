"""Reads small objects one after the other, for as long as that is fast.

A file in the page cache is read in 10 µs. Threads for such reads only wait for the GIL. A network
file system may take a hundred times as long, and there threads pay off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ..errors import StorageError
from .format.encoded import Encoded
from .format.references import StoredReference
from .stores.interruptible import interruptible
from .stores.store import Store

_SMALL = 64 * 1024
# When reading stops: after this time, if a read takes longer than that on average; seconds.
_PATIENCE = 0.005
_FAST = 0.0002


def read_while_fast(
    store: Store, links: Sequence[StoredReference], now: Callable[[], float] = time.monotonic
) -> dict[str, Encoded]:
    """Read small objects in sequence until that turns out to be slow, or one cannot be read.

    Args:
        store: Where to read.
        links: The objects; those that are large or of unknown size are left out.
        now: The clock, in seconds.

    Returns:
        The values that were read, by path. The caller reads the others, and reports errors.
    """
    if not store.is_local:
        return {}
    paths = [link.path for link in links if link.size is not None and link.size <= _SMALL]
    if len(paths) < 2:
        return {}
    found: dict[str, Encoded] = {}
    is_over = False

    def read() -> None:
        begun = now()
        for path in paths:
            try:
                found[path] = store.read(path)
            except StorageError:
                return
            taken = now() - begun
            if is_over or (taken > _PATIENCE and taken > len(found) * _FAST):
                return

    try:
        interruptible(read)
    finally:
        is_over = True  # after an interruption, the thread reads no more
    return found
