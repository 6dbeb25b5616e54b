"""What the worker connection sends, lets wait, keeps over a lost connection, and sends again."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import pytest

from tests.unit.support.network import Network
from wrapper.supervisor.worker.link import SETTLE_AFTER
from wrapper.supervisor.worker.unsent import MESSAGE_COST, MessageKind

TASK, STEP, FINAL = MessageKind.TASK, MessageKind.STEP, MessageKind.FINAL
STOPPED, SIGN, FREE = MessageKind.STOPPED, MessageKind.SIGN, MessageKind.FREE

MEGABYTE = 1 << 20
LARGE = b"d" * (20 * MEGABYTE)  # more than the kernel takes at once


@pytest.fixture
def network() -> Iterator[Network]:
    """A connection to a worker that waits for us if the connection is lost (DEV_MODE, debug)."""
    network = Network()
    yield network
    network.close()


@pytest.fixture
def pod() -> Iterator[Network]:
    """A connection in a pod, where a lost connection is a crash for HKube."""
    network = Network(worker_waits=False)
    yield network
    network.close()


def test_messages_arrive_in_order(network: Network) -> None:
    network.open(0.0, busy=True)

    network.worker.send(b"started", STEP)
    network.worker.send(b"alive", SIGN)

    assert network.received() == [b"started", b"alive"]


def test_message_too_large_for_the_worker_is_dropped_with_a_warning() -> None:
    network = Network(max_payload=1000)
    network.open(0.0)

    network.worker.send(b"x" * 1001, FINAL)
    assert network.received() == []
    assert "dropped a message of 1,001 bytes: the worker accepts 1,000" in network.log

    network.worker.send(b"x" * 1000, TASK)
    assert network.received() == [b"x" * 1000]
    network.close()


def test_kept_messages_are_sent_when_the_worker_has_settled(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"progress", TASK)
    network.worker.send(b"alive", SIGN)
    network.worker.send(b"line of the log", FREE)
    network.worker.send(b"done", FINAL)

    network.open(20.0)
    network.tick_to(20.0 + SETTLE_AFTER - 0.01)
    assert network.received() == []

    network.tick_to(20.0 + SETTLE_AFTER)
    assert network.received() == [b"progress", b"done"]

    network.worker.send(b"next", SIGN)
    assert network.received() == [b"next"]


def test_messages_before_the_worker_has_settled_wait_too(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.open(20.0, busy=True)
    network.worker.send(b"progress", TASK)
    network.worker.send(b"alive", SIGN)
    assert network.received() == []

    network.tick_to(20.0 + SETTLE_AFTER)
    assert network.received() == [b"progress"]


def test_another_task_drops_what_is_kept(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"done", FINAL)
    network.open(20.0)

    network.worker.forget_old_messages()
    network.worker.send(b"initialized", STEP)
    network.tick_to(30.0)

    assert network.received() == [b"initialized"]


def test_without_kept_messages_there_is_no_wait(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.open(20.0, busy=False)

    network.worker.send(b"stopped", STOPPED)

    assert network.received() == [b"stopped"]


def test_messages_kept_over_two_losses_stay_in_order(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.worker.send(b"one", TASK)
    network.open(20.0)
    network.lose(20.5)
    network.worker.send(b"two", TASK)
    network.open(30.0)
    network.tick_to(32.0)

    assert network.received() == [b"one", b"two"]


def test_every_loss_is_reported(network: Network) -> None:
    network.open(0.0)
    network.lose(10.0)
    network.open(20.0)
    network.lose(30.0)

    assert network.losses == [10.0, 30.0]


def test_first_message_of_a_task_waits_and_the_log_does_not() -> None:
    network = Network(silent_for=0.3)
    network.open(10.0)
    network.worker.forget_old_messages()
    network.worker.send(b"initialized", STEP)
    network.worker.send(b"line of the log", FREE)
    assert network.received() == [b"line of the log"]

    network.tick_to(10.29)
    assert network.received() == []
    network.tick_to(10.3)
    assert network.received() == [b"initialized"]
    network.close()


# ----------------------------------------------------------------- a worker that reads slowly --
def test_control_messages_go_before_what_user_code_has_sent(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(LARGE, TASK)
    for number in range(1000):
        network.worker.send(b'{"command":"progress","data":%d}' % number, TASK)
        network.worker.send(b'{"command":"startSpan","data":%d}' % number, TASK)
    network.worker.send(b"alive", SIGN)

    received = network.receive_all()

    assert received[0] == LARGE
    assert received[1] == b"alive"
    assert received[2] == b'{"command":"progress","data":999}', "only the newest"
    assert received[3:] == [b'{"command":"startSpan","data":%d}' % n for n in range(1000)]


def test_stopped_replaces_what_the_stopped_task_has_sent(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(LARGE, TASK)
    for number in range(1000):
        network.worker.send(b"call %d" % number, TASK)
    network.worker.send(b"stopped", STOPPED)

    assert network.receive_all() == [LARGE, b"stopped"]


def test_small_messages_count_with_what_they_cost(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(LARGE, TASK)
    before = network.worker.waiting_bytes
    for _ in range(1000):
        network.worker.send(b"call", TASK)

    assert network.worker.waiting_bytes - before == 1000 * (4 + MESSAGE_COST)


def test_more_than_the_limit_is_dropped_with_a_warning(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(LARGE, TASK)
    for _ in range(7):
        network.worker.send(LARGE, TASK)
    network.worker.send(LARGE, FINAL)

    assert [len(message) for message in network.receive_all()] == [len(LARGE)] * 8
    assert "dropped a message of 20,971,520 bytes" in network.log


# ------------------------------------------------------------------ a connection that breaks --
@pytest.mark.parametrize("size", [4, 100_000])
def test_message_that_a_broken_connection_does_not_take_is_sent_once(
    network: Network, size: int
) -> None:
    network.open(0.0)
    network.workers[-1].socket.close()
    network.worker.send(b"d" * size, FINAL)
    network.lose(10.0)
    network.open(20.0)
    network.tick_to(22.0)

    assert network.receive_all() == [b"d" * size]


def test_alive_that_a_broken_connection_does_not_take_is_dropped(network: Network) -> None:
    """Sent later, it could arm the worker's timer for a task that is over."""
    network.open(0.0)
    network.workers[-1].socket.close()
    network.worker.send(b"alive", SIGN)
    network.lose(10.0)
    network.open(20.0, busy=True)
    network.tick_to(22.0)

    assert network.received() == []


def test_messages_that_waited_are_carried_over(network: Network) -> None:
    """A call that never arrives is never answered: code without a timeout would wait for ever."""
    network.open(0.0, busy=True)
    network.worker.send(LARGE, TASK)
    network.worker.send(b"call", TASK)
    network.worker.send(b"done", FINAL)
    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)

    assert network.receive_all() == [LARGE, b"call", b"done"]


def test_final_message_that_could_not_be_flushed_is_sent_again(network: Network) -> None:
    network.open(0.0, busy=True)
    outbox = network.worker.outbox
    assert outbox is not None
    with outbox.corked():
        network.worker.send(b"done", FINAL)
        network.workers[-1].socket.close()
    assert outbox.is_broken

    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)
    assert network.received() == [b"done"]


@pytest.mark.parametrize("kind", [FINAL, STOPPED])
def test_end_of_a_task_that_the_worker_has_not_read_is_sent_again(
    network: Network, kind: MessageKind
) -> None:
    network.open(0.0, busy=True)
    network.worker.send(b"the end", kind)  # the kernel has it

    for moment in (1.0, 5.0):
        network.lose(moment)
        network.open(moment + 1)
        network.tick_to(moment + 1 + SETTLE_AFTER)
    assert network.received() == [b"the end"]


def test_end_of_a_task_that_the_worker_has_read_is_not_sent_again(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(b"done", FINAL)
    assert network.received() == [b"done"]
    network.workers[-1].write()  # the pong, which the library has ready

    network.lose(1.0)
    network.open(2.0)
    network.tick_to(2.0 + SETTLE_AFTER)
    assert network.received() == []


def test_end_of_a_task_is_not_sent_again_once_another_begins(network: Network) -> None:
    network.open(0.0, busy=True)
    network.worker.send(b"done", FINAL)
    network.lose(1.0)
    network.open(2.0)
    network.worker.forget_old_messages()
    network.worker.send(b"initialized", STEP)
    network.tick_to(2.0 + SETTLE_AFTER)

    assert network.received() == [b"initialized"]


def test_nothing_of_a_task_is_sent_to_the_next_worker_of_a_pod(pod: Network) -> None:
    """HKube runs the task again, and takes what comes for the end of another task."""
    pod.open(0.0, busy=True)
    pod.worker.send(LARGE, TASK)
    pod.worker.send(b"waits", TASK)
    pod.worker.send(b"done", FINAL)
    pod.lose(1.0)
    pod.worker.send(b"late", FINAL)
    pod.worker.send(b"stopped", STOPPED)
    pod.open(2.0, busy=False)
    pod.tick_to(5.0)
    assert pod.received() == []

    pod.worker.send(b"initialized", STEP)
    assert pod.received() == [b"initialized"]


@pytest.mark.parametrize("worker_waits", [False, True])
@pytest.mark.parametrize("ending", ["RST", "FIN"])
@pytest.mark.parametrize("size", [1, 126, 5_000, 20_000, 70_000, 1_000_000])
def test_result_is_read_at_most_once(size: int, ending: str, worker_waits: bool) -> None:
    """Whenever the connection breaks, and whatever the kernel had taken by then."""
    chance = random.Random(f"{size} {ending} {worker_waits}")
    for _ in range(15):
        network = Network(worker_waits=worker_waits, tcp=True)
        network.open(0.0, busy=True)
        loses_first = chance.random() < 0.5
        result = b"d" * size
        if not loses_first:
            network.worker.send(result, FINAL)
        for _ in range(chance.randrange(4)):
            network.turn()
        before = network.received() if chance.random() < 0.5 else []
        network.workers[-1].write()
        break_off(network.workers[-1].socket, ending)
        if loses_first:
            network.worker.send(result, FINAL)
        network.wait_lost(1.0)
        network.open(2.0)
        network.tick_to(2.0 + SETTLE_AFTER)
        after = network.receive_all()

        assert [*before, *after].count(result) == (1 if worker_waits else len(before))
        assert after in ([], [result])
        network.close()


def break_off(sock: socket.socket, ending: str) -> None:
    if ending == "RST":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


# ------------------------------------------------------------------------------ the end --
def test_kept_messages_are_sent_before_the_goodbye(network: Network) -> None:
    network.open(0.0)
    network.lose(1.0)
    network.worker.send(b"stopped", STOPPED)
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


def test_what_no_listener_of_a_socketio_server_takes_is_not_sent_and_one_warning_says_so() -> None:
    network = Network(socketio=True)
    network.open(0.0)

    for _ in range(3):
        network.worker.send(b'{"command":"logData","data":[]}', FREE)
    network.worker.send(b'{"command":"done"}', FINAL)

    assert network.received() == [b'42["done",{"command":"done"}]']
    assert network.log.count("HKube's worker does not listen to it on socket.io") == 1
    network.close()
