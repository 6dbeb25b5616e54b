"""The cache and its budget."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrapper.storage.cache import Cache
from wrapper.storage.format.encoded import ENTRY_BYTES, Encoded


def of(size: int) -> Encoded:
    return Encoded(b"12345678", bytes(size))


def budget_for(*sizes: int) -> int:
    return sum(size + ENTRY_BYTES for size in sizes)


def test_least_recently_used_value_goes_first() -> None:
    cache = Cache(budget_for(3, 3, 4))
    for name in "abc":
        cache.put(name, of(3))
    assert cache.get("a") is not None
    cache.put("d", of(3))
    assert cache.get("b") is None
    assert None not in [cache.get(name) for name in "acd"]


def test_value_over_the_budget_is_not_kept() -> None:
    cache = Cache(budget_for(10))
    cache.put("a", of(10))
    cache.put("b", of(11))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    cache.put("a", of(11))  # the old value must not stay
    assert cache.get("a") is None


def test_zero_budget() -> None:
    cache = Cache(0)
    cache.put("a", of(1))
    cache.put("empty", of(0))
    assert cache.get("a") is None and cache.get("empty") is None


def test_small_and_empty_values_are_removed_too() -> None:
    cache = Cache(100 * ENTRY_BYTES)
    for number in range(200):
        cache.put(str(number), of(0))
    assert [number for number in range(200) if cache.get(str(number))] == list(range(100, 200))


def test_clear() -> None:
    cache = Cache(budget_for(10))
    cache.put("a", of(10))
    cache.clear()
    assert cache.get("a") is None
    cache.put("b", of(10))
    assert cache.get("b") is not None


SIZES = st.integers(0, 3 * ENTRY_BYTES)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), SIZES)), st.integers(0, 5 * ENTRY_BYTES))
def test_budget_is_never_exceeded(puts: list[tuple[str, int]], budget: int) -> None:
    cache = Cache(budget)
    for name, size in puts:
        cache.put(name, of(size))
        held = [each for each in map(cache.get, "abcdef") if each is not None]
        assert budget_for(*(each.size for each in held)) <= budget
        assert (cache.get(name) is not None) is (budget_for(size) <= budget)
