"""Keeps the newest results in memory for peers, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
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


class KeptResult:
    """A result with what is known about its use."""

    __slots__ = ("is_listed", "loans", "result")

    def __init__(self, result: Held) -> None:
        self.result = result
        self.is_listed = True
        self.loans = 0


class HeldResults:
    """Results by task id.

    A result on its way to a peer is lent: it stays, and counts against the budget, until it is
    given back.

    Args:
        budget: Bytes for the payloads and their overhead.
        most_mapped: Number of results that may take a file descriptor.
    """

    def __init__(self, budget: int, most_mapped: int = 256) -> None:
        self.budget = budget
        self._most_mapped = most_mapped
        self._kept: OrderedDict[str, KeptResult] = OrderedDict()
        self._all = _Usage()
        self._lent = _Usage()

    @property
    def used_bytes(self) -> int:
        """Memory that everything held or lent takes."""
        return self._all.bytes

    def hold(self, task_id: str, result: Held) -> bool:
        """Keep a result and drop the oldest ones for it; return False if there is no room."""
        if (
            self._lent.bytes + result.cost > self.budget
            or self._lent.mapped + result.is_mapped > self._most_mapped
        ):
            return False
        if task_id in self._kept:
            self._drop(task_id)
        while self._all.bytes + result.cost > self.budget:
            self._drop(self._oldest(only_mapped=False))
        while self._all.mapped + result.is_mapped > self._most_mapped:
            self._drop(self._oldest(only_mapped=True))
        self._kept[task_id] = KeptResult(result)
        self._all.add(result)
        return True

    def get(self, task_id: str) -> Held | None:
        """Return the result of a task, if it is held."""
        kept = self._kept.get(task_id)
        return kept.result if kept is not None else None

    def borrow(self, task_id: str) -> KeptResult | None:
        """Return the result of a task, if it is held; the caller has to give it back."""
        kept = self._kept.get(task_id)
        if kept is not None:
            kept.loans += 1
            if kept.loans == 1:
                self._lent.add(kept.result)
        return kept

    def give_back(self, kept: KeptResult) -> None:
        """Take note that a peer does not need the result any more."""
        kept.loans -= 1
        if not kept.loans:
            self._lent.remove(kept.result)
            if not kept.is_listed:
                self._all.remove(kept.result)

    def _oldest(self, only_mapped: bool) -> str:
        return next(
            task_id
            for task_id, kept in self._kept.items()
            if not kept.loans and (kept.result.is_mapped or not only_mapped)
        )

    def _drop(self, task_id: str) -> None:
        dropped = self._kept.pop(task_id)
        dropped.is_listed = False
        if not dropped.loans:
            self._all.remove(dropped.result)


class _Usage:
    """What some results take."""

    def __init__(self) -> None:
        self.bytes = 0
        self.mapped = 0

    def add(self, result: Held) -> None:
        self.bytes += result.cost
        self.mapped += result.is_mapped

    def remove(self, result: Held) -> None:
        self.bytes -= result.cost
        self.mapped -= result.is_mapped
