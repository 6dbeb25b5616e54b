"""Refuses gevent's monkey patches in a process that the wrapper shares with user code.

The patches make greenlets of the threads in which the worker and the supervisor run, so the
process would hang. Only an algorithm process of its own can be patched.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..errors import LoadError

REFUSAL = (
    "gevent's monkey patches do not work in one process with HKube's worker: run the algorithm "
    "without --in-process, or in a test with isolated=True"
)
_MODULE = "gevent.monkey"


@contextmanager
def gevent_patches_refused() -> Iterator[None]:
    """Make `gevent.monkey.patch_all()` and the like raise a LoadError that says what to do."""
    finder = _Finder()
    if _MODULE in sys.modules:
        finder.subscribe()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.unsubscribe()


def is_patched_by_gevent() -> bool:
    """Whether the process is patched already."""
    monkey = sys.modules.get(_MODULE)
    asked = getattr(monkey, "is_module_patched", None)
    return bool(asked is not None and asked("threading"))


class _Finder(MetaPathFinder):
    """Finds no module, but notices the import of gevent's patches."""

    def __init__(self) -> None:
        self._subscribers: list[Any] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == _MODULE:
            self.subscribe()
        return None

    def subscribe(self) -> None:
        """Have gevent announce each patch before it is made."""
        self._subscribers = importlib.import_module("gevent.events").subscribers
        self._subscribers.append(_refuse)

    def unsubscribe(self) -> None:
        """Allow patches again."""
        if _refuse in self._subscribers:
            self._subscribers.remove(_refuse)


def _refuse(event: object) -> None:
    if type(event).__name__.startswith("GeventWillPatch"):
        raise LoadError(REFUSAL)
