"""Recent results in memory, for peers: the newest, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import NamedTuple


class Held(NamedTuple):
    """One result.

    Attributes:
        header: HKube's 8 bytes.
        payload: never copied: all who ask are sent this memory.
    """

    header: bytes
    payload: memoryview


class HeldResults:
    """Results by task id; safe from any thread.

    What is taken out lives on until the last peer that is just being sent it has it.

    Args:
        budget: bytes, of the payloads.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def hold(self, task_id: str, result: Held) -> bool:
        """Keep a result, in place of the oldest ones; False if it alone is over the budget."""
        size = result.payload.nbytes
        if size > self._budget:
            return False
        with self._lock:
            self._drop(task_id)
            while self._bytes + size > self._budget:
                self._drop(next(iter(self._held)))
            self._held[task_id] = result
            self._bytes += size
        return True

    def get(self, task_id: str) -> Held | None:
        """The result of a task, if it is held."""
        with self._lock:
            return self._held.get(task_id)

    def _drop(self, task_id: str) -> None:
        gone = self._held.pop(task_id, None)
        if gone is not None:
            self._bytes -= gone.payload.nbytes
