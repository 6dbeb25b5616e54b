"""Held results and their budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from wrapper.storage.format.encoded import ENTRY_BYTES
from wrapper.storage.peers.held_results import Held, HeldResults, KeptResult


def of(size: int, is_mapped: bool = False) -> Held:
    return Held(b"12345678", memoryview(bytes(size)), is_mapped)


def budget_for(*sizes: int) -> int:
    return sum(size + ENTRY_BYTES for size in sizes)


def test_oldest_result_goes_first_even_if_used() -> None:
    held = HeldResults(budget_for(3, 3, 4))
    for name in "abc":
        assert held.hold(name, of(3))
    assert held.get("a") is not None
    assert held.hold("d", of(3))
    assert held.get("a") is None
    assert None not in [held.get(name) for name in "bcd"]


def test_result_over_the_budget_is_refused() -> None:
    held = HeldResults(budget_for(10))
    assert held.hold("a", of(10))
    assert not held.hold("b", of(11))
    assert held.get("a") is not None and held.get("b") is None


def test_second_result_of_a_task_replaces_the_first() -> None:
    held = HeldResults(budget_for(10))
    held.hold("a", of(10))
    second = of(9)
    assert held.hold("a", second)
    assert held.get("a") is second


def test_result_on_its_way_stays_and_counts() -> None:
    held = HeldResults(budget_for(10, 10))
    held.hold("a", of(10))
    held.hold("b", of(10))
    lent = held.borrow("a")
    assert lent is not None
    assert held.hold("c", of(10)), "the oldest that is not lent makes room"
    assert held.get("a") is not None and held.get("b") is None
    assert not held.hold("d", of(20)), "there is no room until the lent one is given back"
    assert held.get("c") is not None, "nothing is dropped in vain"
    held.give_back(lent)
    assert held.hold("d", of(20))
    assert held.get("a") is None


def test_replaced_result_counts_until_it_is_given_back() -> None:
    held = HeldResults(budget_for(10, 10))
    held.hold("a", of(10))
    lent = held.borrow("a")
    assert lent is not None
    assert held.hold("a", of(10))
    assert held.used_bytes == budget_for(10, 10)
    held.give_back(lent)
    assert held.used_bytes == budget_for(10)


def test_small_and_empty_results_are_dropped_too() -> None:
    held = HeldResults(100 * ENTRY_BYTES)
    for number in range(200):
        assert held.hold(str(number), of(0))
    assert [number for number in range(200) if held.get(str(number))] == list(range(100, 200))


def test_oldest_mapped_result_makes_room() -> None:
    held = HeldResults(1_000_000, most_mapped=2)
    assert held.hold("copied", of(1))
    for name in "abbc":
        assert held.hold(name, of(1, is_mapped=True))
    assert [held.get(name) is not None for name in ("copied", "a", "b", "c")] == [1, 0, 1, 1]
    assert not HeldResults(1_000_000, most_mapped=0).hold("a", of(1, is_mapped=True))


SIZES = st.integers(0, 3 * ENTRY_BYTES)
RESULTS = st.lists(st.tuples(st.sampled_from("abcdef"), SIZES, st.booleans()))


@given(RESULTS, st.integers(0, 5 * ENTRY_BYTES))
def test_budget_is_never_exceeded(results: list[tuple[str, int, bool]], budget: int) -> None:
    held = HeldResults(budget, most_mapped=2)
    for name, size, is_mapped in results:
        result = of(size, is_mapped)
        assert held.hold(name, result) is (budget_for(size) <= budget)
        found = [each for each in map(held.get, "abcdef") if each is not None]
        assert sum(each.cost for each in found) <= budget
        assert sum(each.is_mapped for each in found) <= 2


class Lending(RuleBasedStateMachine):
    """Results are held, borrowed and given back in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.held = HeldResults(5 * ENTRY_BYTES, most_mapped=2)
        self.loans: list[KeptResult] = []

    @rule(task=st.sampled_from("abcdef"), size=SIZES, is_mapped=st.booleans())
    def hold(self, task: str, size: int, is_mapped: bool) -> None:
        lent = {id(loan.result): loan.result for loan in self.loans}.values()
        room = self.held.budget - sum(each.cost for each in lent)
        descriptors = 2 - sum(each.is_mapped for each in lent)
        result = of(size, is_mapped)
        fits = result.cost <= room and is_mapped <= descriptors
        assert self.held.hold(task, result) is fits

    @rule(task=st.sampled_from("abcdef"))
    def borrow(self, task: str) -> None:
        loan = self.held.borrow(task)
        if loan is not None:
            self.loans.append(loan)

    @rule(which=st.integers(0, 20))
    def give_back(self, which: int) -> None:
        if self.loans:
            self.held.give_back(self.loans.pop(which % len(self.loans)))

    @invariant()
    def everything_in_memory_is_counted_and_within_the_budget(self) -> None:
        listed = [each for each in map(self.held.get, "abcdef") if each is not None]
        lent = [loan.result for loan in self.loans]
        in_memory = {id(each): each for each in listed + lent}.values()
        assert self.held.used_bytes == sum(each.cost for each in in_memory)
        assert self.held.used_bytes <= self.held.budget
        assert sum(each.is_mapped for each in in_memory) <= 2


TestLending = Lending.TestCase
