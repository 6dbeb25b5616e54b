"""What every open page shows, and who waits for it to change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, final


@final
class Topics:
    """Values that pages follow. Thread-safe.

    A change only sets a mark; the value is made when a page is ready to take it. So a page, however
    slow, costs those who change something nothing.
    """

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], Any]] = {}
        self._versions: dict[str, int] = {}
        self._changed = threading.Condition()
        self._closed = False

    def offer(self, name: str, make: Callable[[], Any]) -> None:
        """Add a topic, or change where its value comes from.

        Args:
            name: the topic's name.
            make: returns the present value; called from several threads.
        """
        with self._changed:
            self._makers[name] = make
        self.touch(name)

    def touch(self, name: str) -> None:
        """Note that a topic's value has changed."""
        with self._changed:
            self._versions[name] = self._versions.get(name, 0) + 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let everybody who waits return."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, seen: Mapping[str, int], timeout: float | None = None) -> bool:
        """Wait until a topic is newer than `seen`.

        Returns:
            False once the topics are closed, or after `timeout` seconds.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._versions != seen, timeout)
            return not self._closed and self._versions != seen

    def newer(self, seen: dict[str, int]) -> list[tuple[str, Any]]:
        """Return the topics that are newer than `seen` with their values, and update `seen`."""
        with self._changed:
            names = [name for name, version in self._versions.items() if seen.get(name) != version]
            # Noted before the value is made: a change meanwhile makes it newer again.
            seen.update((name, self._versions[name]) for name in names)
            makers = [self._makers[name] for name in names]
        return [(name, make()) for name, make in zip(names, makers, strict=True)]
