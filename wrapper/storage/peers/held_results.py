"""Keeps the newest results in memory for peers, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from ..format.encoded import ENTRY_BYTES


class Held(NamedTuple):
    """A result in memory.

    Attributes:
        header: HKube's 8 bytes.
        payload: The encoded value. It is sent to all peers from this memory, without copies.
        is_mapped: Whether the memory is shared, which takes a file descriptor.
    """

    header: bytes
    payload: memoryview
    is_mapped: bool = False

    @property
    def cost(self) -> int:
        """Memory that the result takes, in bytes."""
        return self.payload.nbytes + ENTRY_BYTES


class HeldResults:
    """Results by task id; safe from any thread.

    Attributes:
        budget: See above.

    The memory of a removed result lives on until all transfers that use it have finished.

    Args:
        budget: Bytes for the payloads and their overhead.
        most_mapped: Number of results that may take a file descriptor.
    """

    def __init__(self, budget: int, most_mapped: int = 256) -> None:
        self.budget = budget
        self._most_mapped = most_mapped
        self._mapped = 0
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def hold(self, task_id: str, result: Held) -> bool:
        """Keep a result and drop the oldest ones for it; return False if it is too large."""
        if result.cost > self.budget or (result.is_mapped and not self._most_mapped):
            return False
        with self._lock:
            self._drop(task_id)
            while self._bytes + result.cost > self.budget:
                self._drop(next(iter(self._held)))
            if result.is_mapped and self._mapped == self._most_mapped:
                self._drop(next(task for task, held in self._held.items() if held.is_mapped))
            self._held[task_id] = result
            self._bytes += result.cost
            self._mapped += result.is_mapped
        return True

    def get(self, task_id: str) -> Held | None:
        """Return the result of a task, if it is held."""
        with self._lock:
            return self._held.get(task_id)

    def _drop(self, task_id: str) -> None:
        dropped = self._held.pop(task_id, None)
        if dropped is not None:
            self._bytes -= dropped.cost
            self._mapped -= dropped.is_mapped
