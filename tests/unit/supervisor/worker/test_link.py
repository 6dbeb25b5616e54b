"""The link over all of its connections: opening, giving up, pings, with a clock of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.support.network import Network, nothing, open_link, tick_to
from wrapper.supervisor.worker.connection import Connection
from wrapper.supervisor.worker.link import PING_EVERY


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


# ---------------------------------------------------------------------------- connecting --
def test_nothing_is_due_while_a_first_connection_is_awaited(network: Network) -> None:
    assert network.link().deadline() is None


def test_a_refused_connection_is_tried_again_later_and_later(network: Network) -> None:
    link = network.link()
    delays = []
    now = 0.0
    for number in range(12):
        delays.append(link.refused(now))
        due = link.deadline()
        assert due is not None
        assert due == pytest.approx(now + delays[-1])
        link.tick(due - 0.001, nothing)
        assert network.tries == number
        link.tick(due, nothing)
        assert network.tries == number + 1
        assert link.deadline() is None, "one try at a time"
        now = due

    assert delays[:3] == pytest.approx([0.1, 0.16, 0.256])
    assert delays[-1] == 5.0


def test_the_first_worker_is_waited_for_for_ever(network: Network) -> None:
    link = network.link(give_up_after=60.0)
    now = 0.0
    while now < 10_000:
        now += link.refused(now)
        assert link.tick(now, nothing) is None


def test_a_lost_connection_is_opened_again(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    first = link.connection
    forgotten: list[Connection] = []

    link.closed(10.0, forgotten.append)

    assert forgotten == [first]
    assert first
    assert first.fileno() == -1, "closed before a new one is opened: the worker keeps one socket"
    assert link.connection is None
    tick_to(link, 10.2)
    assert network.tries == 1


def test_only_a_connection_that_held_makes_us_hasty_again(network: Network) -> None:
    link = network.link()
    for _ in range(9):
        link.refused(0.0)

    open_link(link, network, 100.0)
    link.closed(104.9, nothing)
    assert link.deadline() == pytest.approx(104.9 + 5.0)

    open_link(link, network, 110.0)
    link.closed(115.0, nothing)
    assert link.deadline() == pytest.approx(115.0 + 0.1)


# ----------------------------------------------------------------------------- giving up --
def test_we_give_up_so_long_after_a_loss(network: Network) -> None:
    link = network.link(give_up_after=60.0)
    open_link(link, network, 0.0)
    link.closed(100.0, nothing)
    now = 100.0
    while now < 159.0:
        now += link.refused(now)
        assert tick_to(link, min(now, 159.9)) is None

    assert (
        tick_to(link, 160.0)
        == "the worker has not come back within 60 s (WORKER_RECONNECT_TIMEOUT)"
    )


def test_coming_back_in_time_starts_the_count_anew(network: Network) -> None:
    link = network.link(give_up_after=60.0)
    open_link(link, network, 0.0)
    link.closed(100.0, nothing)
    open_link(link, network, 159.0)
    assert tick_to(link, 1000.0) is None

    link.closed(1000.0, nothing)
    link.tick(1000.1, nothing)
    assert link.deadline() == 1060.0


def test_dev_mode_and_debug_never_give_up(network: Network) -> None:
    link = network.link(give_up_after=None)
    open_link(link, network, 0.0)
    link.closed(1.0, nothing)

    now = 1.0
    while now < 100_000:
        now += link.refused(now)
        assert tick_to(link, now) is None


def test_with_no_patience_we_give_up_at_once(network: Network) -> None:
    link = network.link(give_up_after=0.0)
    open_link(link, network, 0.0)
    link.closed(1.0, nothing)

    assert (
        tick_to(link, 1.0) == "the worker has not come back within 0 s (WORKER_RECONNECT_TIMEOUT)"
    )


# ------------------------------------------------------------------------ at the very end --
def test_once_we_are_ending_nothing_is_opened_again(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.end()
    link.closed(1.0, nothing)

    assert tick_to(link, 1000.0) is None
    assert network.tries == 0


def test_a_worker_that_is_gone_is_told_once(network: Network) -> None:
    """Else the loop would spin, and fill the log, while the user's `exit` runs."""
    link = network.link(give_up_after=60.0)
    open_link(link, network, 0.0)
    link.closed(0.0, nothing)
    assert tick_to(link, 60.0)

    link.end()
    link.refused(60.5)  # a try was under way

    assert link.deadline() is None


# --------------------------------------------------------------------------------- pings --
def test_pings_are_sent_while_the_worker_is_heard(network: Network) -> None:
    link = network.link(pings=True)
    open_link(link, network, 0.0)
    for number in range(1, 11):
        tick_to(link, number * PING_EVERY)
        assert network.heard() == [b"PING"]
        link.heard(number * PING_EVERY + 0.1)

    assert link.connection


def test_no_pings_are_sent_inside_of_a_pod(network: Network) -> None:
    link = network.link(pings=False)
    open_link(link, network, 0.0)

    assert link.deadline() is None


def test_a_worker_that_answers_no_ping_is_left(network: Network) -> None:
    link = network.link(pings=True, give_up_after=None)
    open_link(link, network, 0.0)
    closed_at = 0.0
    while link.connection:
        due = link.deadline()
        assert due is not None
        link.tick(due, nothing)
        closed_at = due

    assert closed_at <= 5 * PING_EVERY
    tick_to(link, closed_at + 1)
    assert network.tries == 1
