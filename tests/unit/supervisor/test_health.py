"""The socket that shows whether the loop is alive, and its probe."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from threading import Thread

import pytest

from wrapper.log import Log
from wrapper.supervisor import health
from wrapper.supervisor.loop.poller import Poller

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")

NAME = f"hkube-test-{os.getpid()}"


class Loop:
    """A poller that waits for the socket, as the supervisor does."""

    def __init__(self, sock: health.HealthSocket) -> None:
        self.wakes = 0
        self._poller = Poller()
        self._poller.watch(sock, sock.answer)

    def turn(self) -> None:
        self._poller.wait(10)
        self.wakes += 1


@pytest.fixture
def served() -> Iterator[health.HealthSocket]:
    sock = health.HealthSocket(NAME)
    yield sock
    sock.close()


def test_running_loop_is_healthy(served: health.HealthSocket) -> None:
    loop = Loop(served)
    turning = Thread(target=loop.turn)
    turning.start()

    assert health.probe(NAME, 10) == ""
    turning.join()
    assert loop.wakes == 1, "only the probe wakes it"


def test_hanging_loop_is_unhealthy(served: health.HealthSocket) -> None:
    assert health.probe(NAME, 0.01) == "the wrapper's loop has not answered for 0.01 s"


def test_missing_loop_is_unhealthy() -> None:
    assert health.probe(NAME) == "no wrapper is running in this container"


def test_abandoned_probes_do_not_disturb_the_loop(served: health.HealthSocket) -> None:
    for _ in range(3):
        assert health.probe(NAME, 0.01)
    loop = Loop(served)
    for _ in range(3):
        loop.turn()

    turning = Thread(target=loop.turn)
    turning.start()
    assert health.probe(NAME, 10) == ""
    turning.join()


def test_datagram_without_a_sender_is_ignored(served: health.HealthSocket) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nameless:
        nameless.sendto(b"?" * 1000, health.address_of(NAME))
    served.answer()
    served.answer()  # with nothing to read, it does not fail either


def test_closing_releases_the_name() -> None:
    health.HealthSocket(NAME).close()
    health.HealthSocket(NAME).close()


def test_long_name_is_cut() -> None:
    assert len(health.address_of("n" * 500)) < 108


def test_second_wrapper_warns_that_it_has_no_socket(
    served: health.HealthSocket, capfd: pytest.CaptureFixture[str]
) -> None:
    assert health.open_health_socket(NAME, Log()) is None

    warning = capfd.readouterr().err
    assert "health probes of this wrapper will fail: Address already in use" in warning


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        ({}, "unhealthy: HKUBE_HEALTH_SOCKET is not set, so the wrapper answers no probes"),
        ({"HKUBE_HEALTH_SOCKET": NAME}, "unhealthy: no wrapper is running in this container"),
        (
            {"HKUBE_HEALTH_SOCKET": NAME, "WORKER_SOCKET_PORT": "x"},
            "unhealthy: WORKER_SOCKET_PORT is 'x', but must be a whole number from 1 to 65535",
        ),
    ],
)
def test_unhealthy_wrapper_is_reported(
    environ: dict[str, str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert health.print_health(environ) == 1
    assert capsys.readouterr().out == text + "\n"


def test_healthy_wrapper_is_reported(
    served: health.HealthSocket, capsys: pytest.CaptureFixture[str]
) -> None:
    turning = Thread(target=Loop(served).turn)
    turning.start()

    assert health.print_health({"HKUBE_HEALTH_SOCKET": NAME}) == 0
    assert capsys.readouterr().out == "healthy\n"
    turning.join()
