"""The limit for file descriptors, and some descriptors in reserve.

Whoever takes the supervisor's descriptors (peers, results in shared memory) must not keep it from
replacing a stuck algorithm, or from finding the processes to end.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_RESERVE = 16  # a new algorithm process takes 7, /proc takes 2
_MOST = 65_536  # more is of no use, and some kernels allow a billion
_LIMIT = resource.RLIMIT_NOFILE

T = TypeVar("T")


class OpenFiles:
    """Raises the soft limit, as far as the hard one allows, and holds a reserve."""

    def __init__(self) -> None:
        self._inherited = resource.getrlimit(_LIMIT)
        self._reserve: list[int] = []
        self._raise_limit()
        self._fill()

    def with_reserve(self, act: Callable[[], T]) -> T:
        """Return what `act` returns; if no descriptor is left for it, release the reserve first."""
        try:
            return act()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or not self._reserve:
                raise
        self.release()
        try:
            return act()
        finally:
            self._fill()

    def release(self) -> None:
        """Release the reserve: what follows needs it."""
        while self._reserve:
            os.close(self._reserve.pop())

    @contextmanager
    def inherited_limit(self) -> Iterator[None]:
        """Start a process with the limit that we were started with: user code may rely on it."""
        ours = resource.getrlimit(_LIMIT)
        resource.setrlimit(_LIMIT, (self._inherited[0], ours[1]))
        try:
            yield
        finally:
            resource.setrlimit(_LIMIT, ours)

    def _raise_limit(self) -> None:
        soft, hard = self._inherited
        most = _MOST if hard == resource.RLIM_INFINITY else min(hard, _MOST)
        if soft != resource.RLIM_INFINITY and soft < most:
            try:
                resource.setrlimit(_LIMIT, (most, hard))
            except (OSError, ValueError):
                pass  # macOS allows less than it says

    def _fill(self) -> None:
        try:
            while len(self._reserve) < _RESERVE:
                self._reserve.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            pass  # the rest comes later
