"""What the worker connection sends, keeps over a lost connection, and sends again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.support.network import Network
from wrapper.supervisor.worker.link import SETTLE_AFTER

MEGABYTE = 1 << 20
LARGE = b"d" * (20 * MEGABYTE)  # more than the kernel takes at once


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


def test_messages_arrive_in_order(network: Network) -> None:
    network.open(0.0, busy=True)

    network.worker.send(b"started", keep=True)
    network.worker.send(b"alive", keep=False)

    assert network.received() == [b"started", b"alive"]


def test_message_too_large_for_the_worker_is_dropped_with_a_warning() -> None:
    network = Network(max_payload=1000)
    network.open(0.0)

    network.worker.send(b"x" * 1001, keep=True, final=True)
    assert network.received() == []
    assert "dropped a message of 1,001 bytes" in network.log

    network.worker.send(b"x" * 1000, keep=True)
    assert network.received() == [b"x" * 1000]
    network.close()


def test_kept_messages_are_sent_when_the_worker_has_settled(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"progress", keep=True)
    network.worker.send(b"alive", keep=False)
    network.worker.send(b"done", keep=True, final=True)

    network.open(20.0)
    network.tick_to(20.0 + SETTLE_AFTER - 0.01)
    assert network.received() == []

    network.tick_to(20.0 + SETTLE_AFTER)
    assert network.received() == [b"progress", b"done"]

    network.worker.send(b"next", keep=False)
    assert network.received() == [b"next"]


def test_messages_before_the_worker_has_settled_wait_too(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.open(20.0, busy=True)
    network.worker.send(b"progress", keep=True)
    network.worker.send(b"alive", keep=False)
    assert network.received() == []

    network.tick_to(20.0 + SETTLE_AFTER)
    assert network.received() == [b"progress"]


def test_another_task_drops_what_is_kept(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"done", keep=True, final=True)
    network.open(20.0)

    network.worker.forget_kept()
    network.worker.send(b"initialized", keep=True)
    network.tick_to(30.0)

    assert network.received() == [b"initialized"]


def test_without_kept_messages_there_is_no_wait(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.open(20.0, busy=False)

    network.worker.send(b"stopped", keep=True)

    assert network.received() == [b"stopped"]


def test_messages_kept_over_two_losses_stay_in_order(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"one", keep=True)
    network.open(20.0)
    network.lose(20.5)
    network.worker.send(b"two", keep=True)
    network.open(30.0)
    network.tick_to(32.0)

    assert network.received() == [b"one", b"two"]


# ------------------------------------------------------------------ a connection that breaks --
def test_message_that_a_broken_connection_does_not_take_is_kept(network: Network) -> None:
    network.open(0.0)
    network.workers[-1].socket.close()
    network.worker.send(b"done", keep=True, final=True)
    network.lose(10.0)
    network.open(20.0)
    network.tick_to(22.0)

    assert network.received() == [b"done"]


def test_large_final_message_that_a_broken_connection_does_not_take_is_sent_once(
    network: Network,
) -> None:
    network.open(0.0)
    network.workers[-1].socket.close()
    network.worker.send(b"d" * 100_000, keep=True, final=True)
    network.lose(10.0)
    network.open(20.0)
    network.tick_to(22.0)

    assert network.received() == [b"d" * 100_000]


def test_alive_that_a_broken_connection_does_not_take_is_dropped(network: Network) -> None:
    """Sent later, it could arm the worker's timer for a task that is over."""
    network.open(0.0)
    network.workers[-1].socket.close()
    network.worker.send(b"alive", keep=False)
    network.lose(10.0)
    network.open(20.0, busy=True)
    network.tick_to(22.0)

    assert network.received() == []


def test_partly_sent_final_message_is_sent_again(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(LARGE, keep=True, final=True)
    assert network.worker.waiting_bytes

    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)
    assert network.worker.waiting_bytes > 10 * MEGABYTE


def test_final_message_that_could_not_be_flushed_is_sent_again(network: Network) -> None:
    network.open(0.0, busy=True)
    outbox = network.worker.outbox
    assert outbox is not None
    with outbox.corked():
        network.worker.send(b"done", keep=True, final=True)
        network.workers[-1].socket.close()
    assert outbox.is_broken
    network.worker.release_sent()

    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)
    assert network.received() == [b"done"]


def test_completely_sent_final_message_is_released_and_not_sent_again(network: Network) -> None:
    network.open(0.0, busy=True)
    outbox = network.worker.outbox
    assert outbox is not None
    with outbox.corked():
        network.worker.send(b"done", keep=True, final=True)
    network.worker.release_sent()
    assert network.received() == [b"done"]

    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)
    assert network.received() == []


# ------------------------------------------------------------------------------ the end --
def test_kept_messages_are_sent_before_the_goodbye(network: Network) -> None:
    network.open(0.0)
    network.lose(1.0)
    network.worker.send(b"stopped", keep=True)
    network.open(2.0)

    network.worker.close(patience=0.0)

    assert network.received()[0] == b"stopped"
    assert network.worker.outbox is None
    network.worker.close(patience=0.0)


@pytest.mark.parametrize("seconds", [0, 60])
def test_reason_for_giving_up_names_the_setting(seconds: int) -> None:
    network = Network(give_up_after=float(seconds))
    network.open(0.0)
    network.lose(1.0)

    assert network.tick_to(1.0 + seconds) == (
        f"the worker has not come back within {seconds} s (WORKER_RECONNECT_TIMEOUT)"
    )
    network.close()
