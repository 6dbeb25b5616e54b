"""Gathers what many small messages send, and sends it with one system call for each socket."""

from __future__ import annotations

from .outbox import Outbox


class Burst:
    """A context manager: in its block, the outboxes that were named keep everything."""

    def __init__(self) -> None:
        self._depth = 0
        self._corked: list[Outbox] = []

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *exc_info: object) -> None:
        self._depth -= 1
        if not self._depth:
            outboxes, self._corked = self._corked, []
            for outbox in outboxes:
                outbox.uncork()

    def gather(self, outbox: Outbox) -> None:
        """Let an outbox keep what it is given until the block ends; outside, do nothing."""
        if self._depth and not outbox.is_corked:
            outbox.cork()
            self._corked.append(outbox)
