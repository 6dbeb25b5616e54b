"""What the link sends, and what it keeps for a worker that is out of reach."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.support.network import Network, nothing, open_link, tick_to
from wrapper.supervisor.worker.link import SETTLE_AFTER

MEGABYTE = 1 << 20


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


# ------------------------------------------------------------------------------- sending --
def test_what_is_sent_arrives(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0, busy=True)

    assert link.send(b"started", keep=True)
    assert link.send(b"alive", keep=False)
    assert network.heard() == [b"started", b"alive"]


def test_what_is_too_large_for_the_worker_is_not_sent(network: Network) -> None:
    link = network.link(max_payload=1000)
    open_link(link, network, 0.0)

    assert link.send(b"x" * 1000, keep=True)
    assert not link.send(b"x" * 1001, keep=True, final=True)


def test_what_is_kept_is_sent_when_the_worker_has_settled(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(10.0, nothing)
    link.send(b"progress", keep=True)
    link.send(b"alive", keep=False)
    link.send(b"done", keep=True, final=True)

    open_link(link, network, 20.0)
    tick_to(link, 20.0 + SETTLE_AFTER - 0.01)
    assert network.heard() == []

    tick_to(link, 20.0 + SETTLE_AFTER)
    assert network.heard() == [b"progress", b"done"]

    link.send(b"next", keep=False)
    assert network.heard() == [b"next"]


def test_what_is_said_before_the_worker_has_settled_waits_with_the_rest(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(10.0, nothing)
    open_link(link, network, 20.0, busy=True)
    link.send(b"progress", keep=True)
    link.send(b"alive", keep=False)
    assert network.heard() == []

    tick_to(link, 20.0 + SETTLE_AFTER)
    assert network.heard() == [b"progress"]


def test_another_task_makes_what_is_kept_worthless(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(10.0, nothing)
    link.send(b"done", keep=True, final=True)
    open_link(link, network, 20.0)

    link.forget()
    link.send(b"initialized", keep=True)
    tick_to(link, 30.0)

    assert network.heard() == [b"initialized"]


def test_with_nothing_to_keep_there_is_nothing_to_wait_for(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(10.0, nothing)
    open_link(link, network, 20.0, busy=False)

    link.send(b"stopped", keep=True)

    assert network.heard() == [b"stopped"]


def test_what_is_kept_over_two_losses_stays_in_order(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(10.0, nothing)
    link.send(b"one", keep=True)
    open_link(link, network, 20.0)
    link.closed(20.5, nothing)
    link.send(b"two", keep=True)
    open_link(link, network, 30.0)
    tick_to(link, 32.0)

    assert network.heard() == [b"one", b"two"]


def test_no_more_is_kept_than_fits(network: Network) -> None:
    link = network.link()
    piece = bytes(16 * MEGABYTE)

    assert [link.send(piece, keep=True) for _ in range(5)] == [True] * 4 + [False]
    assert link.send(piece, keep=True, final=True), "the last word is kept whatever its size"


def test_a_large_last_word_does_not_push_out_the_answer_to_a_stop(network: Network) -> None:
    """A stop that is not answered by `stopped` ends the container."""
    link = network.link()
    link.send(bytes(90 * MEGABYTE), keep=True, final=True)

    assert link.send(b"stopped", keep=True)


def test_what_a_broken_connection_refuses_is_kept(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    network.workers[-1].socket.close()
    link.send(b"done", keep=True, final=True)
    link.closed(10.0, nothing)
    open_link(link, network, 20.0)
    tick_to(link, 22.0)

    assert network.heard() == [b"done"]


def test_an_alive_that_a_broken_connection_refuses_is_not_kept(network: Network) -> None:
    """Sent later, it could arm the worker's timer for a task that is over."""
    link = network.link()
    open_link(link, network, 0.0)
    network.workers[-1].socket.close()
    link.send(b"alive", keep=False)
    link.closed(10.0, nothing)
    open_link(link, network, 20.0, busy=True)
    tick_to(link, 22.0)

    assert network.heard() == []


# --------------------------------------------------------------------------------- close --
def test_what_is_kept_is_sent_before_the_goodbye(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0)
    link.closed(1.0, nothing)
    link.send(b"stopped", keep=True)
    open_link(link, network, 2.0)

    link.close(patience=0.0)

    assert network.heard()[0] == b"stopped"
    assert link.connection is None
    link.close(patience=0.0)


# ------------------------------------------------------------ a link that breaks amid a word --
LARGE = b"d" * (20 * MEGABYTE)  # more than the kernel takes at once


def test_a_last_word_that_was_sent_in_part_is_sent_again(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0, busy=True)
    link.send(LARGE, keep=True, final=True)
    assert link.connection is not None
    assert link.connection.outbox.waiting_bytes

    link.closed(1.0, nothing)
    open_link(link, network, 2.0)
    tick_to(link, 2.0 + SETTLE_AFTER)
    assert link.connection.outbox.waiting_bytes > 10 * MEGABYTE


def test_a_last_word_that_could_not_be_flushed_is_sent_again(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0, busy=True)
    assert link.connection is not None
    with link.connection.outbox.corked():
        link.send(b"done", keep=True, final=True)
        network.workers[-1].socket.close()
    assert link.connection.outbox.is_broken

    link.closed(1.0, nothing)
    open_link(link, network, 2.0)
    tick_to(link, 2.0 + SETTLE_AFTER)
    assert network.heard() == [b"done"]


def test_a_last_word_that_is_sent_whole_is_let_go_of_and_not_sent_again(network: Network) -> None:
    link = network.link()
    open_link(link, network, 0.0, busy=True)
    assert link.connection is not None
    with link.connection.outbox.corked():
        link.send(b"done", keep=True, final=True)
    link.release()
    assert network.heard() == [b"done"]

    link.closed(1.0, nothing)
    open_link(link, network, 2.0)
    tick_to(link, 2.0 + SETTLE_AFTER)
    assert network.heard() == []
