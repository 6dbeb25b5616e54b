"""Delays between attempts to connect."""

from __future__ import annotations

import pytest

from wrapper.supervisor.worker.back_off import BackOff


def test_delays_grow_up_to_a_limit() -> None:
    back_off = BackOff(lambda: 1.0)

    delays = [back_off.next_delay() for _ in range(15)]

    assert delays[:4] == pytest.approx([0.1, 0.16, 0.256, 0.4096])
    assert delays[-3:] == [5.0, 5.0, 5.0]


def test_delays_use_the_whole_range() -> None:
    parts = iter([0.0, 0.5, 0.25])
    back_off = BackOff(lambda: next(parts))

    assert [back_off.next_delay() for _ in range(3)] == pytest.approx([0.0, 0.08, 0.064])


def test_jitter_is_random() -> None:
    assert len({BackOff().next_delay() for _ in range(20)}) > 1


@pytest.mark.parametrize(("seconds", "next_delay"), [(4.99, 5.0), (5.0, 0.1)])
def test_only_a_stable_connection_resets_the_delay(seconds: float, next_delay: float) -> None:
    back_off = BackOff(lambda: 1.0)
    for _ in range(20):
        back_off.next_delay()

    back_off.connected_for(seconds)

    assert back_off.next_delay() == pytest.approx(next_delay)
