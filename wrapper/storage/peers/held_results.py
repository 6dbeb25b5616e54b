"""Recent results in memory, for peers: the newest, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from ..format.encoded import ENTRY_BYTES


class Held(NamedTuple):
    """One result.

    Attributes:
        header: HKube's 8 bytes.
        payload: never copied: all who ask are sent this memory.
        is_mapped: the memory is shared, and takes a file descriptor.
    """

    header: bytes
    payload: memoryview
    is_mapped: bool = False

    @property
    def cost(self) -> int:
        """Bytes of memory that it takes."""
        return self.payload.nbytes + ENTRY_BYTES


class HeldResults:
    """Results by task id; safe from any thread.

    What is taken out lives on until the last peer that is just being sent it has it.

    Args:
        budget: bytes, of the payloads and of what each takes besides.
        most_mapped: how many may take a file descriptor.
    """

    def __init__(self, budget: int, most_mapped: int = 256) -> None:
        self._budget = budget
        self._most_mapped = most_mapped
        self._mapped = 0
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def hold(self, task_id: str, result: Held) -> bool:
        """Keep a result, in place of the oldest ones; False if it alone is over the budget."""
        if result.cost > self._budget or (result.is_mapped and not self._most_mapped):
            return False
        with self._lock:
            self._drop(task_id)
            while self._bytes + result.cost > self._budget:
                self._drop(next(iter(self._held)))
            if result.is_mapped and self._mapped == self._most_mapped:
                self._drop(next(task for task, held in self._held.items() if held.is_mapped))
            self._held[task_id] = result
            self._bytes += result.cost
            self._mapped += result.is_mapped
        return True

    def get(self, task_id: str) -> Held | None:
        """The result of a task, if it is held."""
        with self._lock:
            return self._held.get(task_id)

    def _drop(self, task_id: str) -> None:
        gone = self._held.pop(task_id, None)
        if gone is not None:
            self._bytes -= gone.cost
            self._mapped -= gone.is_mapped
