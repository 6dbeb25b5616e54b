"""Results that are held keep to their budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.storage.held_results import Held, HeldResults


def of(size: int) -> Held:
    return Held(b"12345678", memoryview(bytes(size)))


def test_the_oldest_goes_first_however_often_it_was_asked_for() -> None:
    held = HeldResults(10)
    for name in "abc":
        assert held.hold(name, of(3))
    assert held.get("a") is not None
    assert held.hold("d", of(3))
    assert held.get("a") is None
    assert None not in [held.get(name) for name in "bcd"]


def test_what_is_over_the_budget_alone_is_refused_and_drives_nothing_out() -> None:
    held = HeldResults(10)
    assert held.hold("a", of(10))
    assert not held.hold("b", of(11))
    assert held.get("a") is not None and held.get("b") is None


def test_the_same_task_again() -> None:
    held = HeldResults(10)
    held.hold("a", of(10))
    second = of(9)
    assert held.hold("a", second)
    assert held.get("a") is second


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12))), st.integers(0, 20))
def test_never_more_than_the_budget(results: list[tuple[str, int]], budget: int) -> None:
    held = HeldResults(budget)
    for name, size in results:
        assert held.hold(name, of(size)) is (size <= budget)
        found = [held.get(each) for each in "abcdef"]
        assert sum(each.payload.nbytes for each in found if each is not None) <= budget
