"""The connection: not available yet, lost in every state, refused, lost for good."""

from __future__ import annotations

import time

import pytest

from .conftest import Serve, Session, both_protocols

pytestmark = both_protocols

GO = "go"
DEV = {"DEV_MODE": "true"}  # the worker keeps its state over a lost connection


def bring_to(session: Session, state: str) -> None:
    """Bring a session of `waits_for_file` into a state."""
    worker = session.worker
    if state == "initializing":
        worker.initialize("initialize")
        session.wrapper.wait_for_file("begun")
    elif state == "ready":
        worker.initialize("ready")
        worker.expect("initialized")
    elif state in ("running", "stopping"):
        worker.begin("wait")
        session.wrapper.wait_for_file("begun")
    if state == "stopping":
        worker.send("stop", {"forceStop": True})


def test_worker_that_does_not_listen_yet(serve: Serve) -> None:
    worker, wrapper = serve("one_argument", connect=False, listening=False)
    wrapper.algorithm()
    wrapper.wait_until(lambda: bool(wrapper.stderr), "first line of the log")
    worker.listen()
    worker.wait_connected()
    assert worker.run(1) == 1


def test_worker_that_refuses_the_handshake_for_a_while(serve: Serve) -> None:
    session = serve("one_argument", connect=False, listening=False)
    session.worker.refuse_with = 503
    session.worker.listen()
    session.wrapper.wait_for_log("503")
    session.worker.refuse_with = None
    session.worker.wait_connected()
    assert session.worker.run(1) == 1


@pytest.mark.parametrize("how", ["reset", "close frame"])
@pytest.mark.parametrize("state", ["idle", "initializing", "ready", "running", "stopping"])
def test_connection_lost_in_every_state(serve: Serve, state: str, how: str) -> None:
    session = serve("waits_for_file")
    bring_to(session, state)
    if how == "reset":
        session.worker.drop()
    else:
        session.worker.hang_up(1001)
    session.worker.wait_connected(2)
    session.worker.pass_over()
    assert session.worker.run("next") == "next"
    assert session.worker.run("one more") == "one more"
    assert session.worker.connections == 2


def test_connection_lost_again_and_again(serve: Serve) -> None:
    worker, wrapper = serve("one_argument")
    for number in range(1, 6):
        worker.wait_connected(number)
        assert worker.run(number) == number
        worker.drop()
    worker.wait_connected(6)
    assert wrapper.is_running


def test_result_made_while_disconnected_is_sent_later(serve: Serve) -> None:
    session = serve("waits_for_file", env=DEV)
    bring_to(session, "running")
    session.worker.stop_listening()
    session.worker.drop()
    (session.wrapper.work / GO).touch()
    session.wrapper.wait_for_file("finished")
    session.worker.listen()
    session.worker.wait_connected(2)
    message = session.worker.finish(timeout=10)
    assert (message.data, message.connection) == ("waited", 2)
    assert session.worker.run("next") == "next"


def test_result_made_while_disconnected_is_dropped_for_another_task(serve: Serve) -> None:
    session = serve("waits_for_file", env=DEV)
    bring_to(session, "running")
    session.worker.stop_listening()
    session.worker.drop()
    (session.wrapper.work / GO).touch()
    session.wrapper.wait_for_file("finished")
    session.worker.listen()
    session.worker.wait_connected(2)
    assert session.worker.run("next") == "next"
    session.worker.expect_silence(1.5)


def test_running_task_survives_a_short_disconnection(serve: Serve) -> None:
    session = serve("waits_for_file", env=DEV)
    bring_to(session, "running")
    session.worker.drop()
    session.worker.wait_connected(2)
    (session.wrapper.work / GO).touch()
    assert session.worker.finish().data == "waited"


@pytest.mark.parametrize("more", [[], ["--in-process"]], ids=["two processes", "in-process"])
@pytest.mark.parametrize("state", ["initializing", "ready", "running", "stopping"])
def test_next_worker_receives_nothing_of_a_lost_task(
    serve: Serve, state: str, more: list[str]
) -> None:
    """HKube counts the task as crashed and runs it again; its end would end another task."""
    session = serve("waits_for_file", arguments=("-m", "wrapper", *more))
    bring_to(session, state)
    session.worker.drop()
    session.worker.pass_over()  # `stopped` may have come in time
    session.worker.wait_connected(2)
    (session.wrapper.work / GO).touch()
    if state == "initializing":
        session.worker.pass_over()
    session.worker.expect_silence(1.5)
    session.worker.pass_over()
    assert session.worker.run("next") == "next"
    assert session.worker.commands().count("done") == 1


def test_result_that_the_worker_has_not_read_is_sent_again(serve: Serve) -> None:
    """That the kernel has it does not mean that the worker has read it."""
    session = serve("waits_for_file", env=DEV)
    bring_to(session, "running")
    session.worker.stop_reading()
    (session.wrapper.work / GO).touch()
    session.wrapper.wait_for_file("finished")
    time.sleep(0.3)  # for the result to be in the kernel; nothing else shows it
    session.worker.drop()
    session.worker.wait_connected(2)
    message = session.worker.finish(timeout=10)
    assert (message.data, message.connection) == ("waited", 2)
    session.worker.expect_silence(0.5)


def test_result_that_the_worker_has_read_is_not_sent_again(serve: Serve) -> None:
    session = serve("waits_for_file", env=DEV)
    bring_to(session, "running")
    (session.wrapper.work / GO).touch()
    assert session.worker.finish().data == "waited"
    session.worker.drop()
    session.worker.wait_connected(2)
    session.worker.expect_silence(1.5)


def test_worker_that_listens_late_is_found_at_once(serve: Serve) -> None:
    session = serve("one_argument", connect=False, listening=False)
    session.wrapper.algorithm()
    session.wrapper.wait_for_log("nothing listens there")
    time.sleep(2)
    session.worker.listen()
    begun = time.monotonic()
    session.worker.wait_connected()
    assert time.monotonic() - begun < 0.3  # 0.05 s on a machine that does nothing else


@pytest.mark.parametrize(
    ("settings", "least", "most"),
    [
        ({"WORKER_FIRST_INITIALIZED_DELAY": None}, 0.3, 1.0),
        ({"WORKER_FIRST_INITIALIZED_DELAY": "1"}, 1.0, 2.0),
        (
            {
                "WORKER_FIRST_INITIALIZED_DELAY": "5",
                "WORKER_SOCKET_URL": "ws://127.0.0.1:{port}/",
            },
            0.0,
            2.0,
        ),
    ],
    ids=["by default", "as set", "debug"],
)
def test_first_initialized_of_a_connection_waits(
    serve: Serve, settings: dict[str, str | None], least: float, most: float
) -> None:
    """HKube's worker may handle a job twice if it comes as soon as the connection is open."""
    session = serve("waits_for_file", env=settings)
    opened = session.worker.events[0].time
    session.worker.initialize("next")
    first = session.worker.expect("initialized")
    assert least <= first.time - opened < most
    session.worker.send("start", {})
    session.worker.finish()
    begun = time.monotonic()
    assert session.worker.run("one more") == "one more"
    assert time.monotonic() - begun < 0.3, "only the first waits"


def test_lost_worker_ends_the_container(serve: Serve) -> None:
    worker, wrapper = serve("one_argument", env={"WORKER_RECONNECT_TIMEOUT": "2"})
    assert worker.run(1) == 1
    worker.stop_listening()
    begun = time.monotonic()
    worker.drop()
    assert wrapper.wait(15) == 75
    assert time.monotonic() - begun > 1.5
    assert "the worker has not come back" in wrapper.stderr
    assert "Traceback" not in wrapper.stderr


def test_lost_worker_ends_a_running_task(serve: Serve) -> None:
    session = serve("waits_for_file", env={"WORKER_RECONNECT_TIMEOUT": "1"})
    bring_to(session, "running")
    session.worker.stop_listening()
    session.worker.drop()
    assert session.wrapper.wait(20) == 75
    assert session.wrapper.survivors() == []


@pytest.mark.parametrize("variable", ["DEV_MODE", "WORKER_SOCKET_URL"])
def test_in_development_the_wrapper_waits_without_limit(serve: Serve, variable: str) -> None:
    values = {"DEV_MODE": "true", "WORKER_SOCKET_URL": "ws://127.0.0.1:{port}/"}
    settings = {"WORKER_RECONNECT_TIMEOUT": "0.5", variable: values[variable]}
    worker, wrapper = serve("one_argument", env=settings)
    worker.stop_listening()
    worker.drop()
    with pytest.raises(AssertionError, match="still running"):
        wrapper.wait(2)
    worker.listen()
    worker.wait_connected(2, timeout=15)
    assert worker.run(1) == 1


def test_task_sent_again_after_a_reconnection_runs_again(serve: Serve) -> None:
    """The debug gateway sends `initialize` and `start` again after reconnecting."""
    session = serve("waits_for_file", env={"WORKER_SOCKET_URL": "ws://127.0.0.1:{port}/"})
    bring_to(session, "running")
    session.worker.drop()
    session.worker.wait_connected(2)
    session.worker.initialize("again")
    session.worker.send("start", {})
    assert session.worker.finish().data == "again"
    session.worker.expect_silence(0.3)


def test_large_result_interrupted_by_a_disconnection_is_sent_again(serve: Serve) -> None:
    session = serve("huge_result", env=DEV)
    session.worker.begin(60_000_000)
    session.worker.drop()
    session.worker.wait_connected(2)
    assert len(session.worker.finish(timeout=30).data) == 60_000_000


def test_proxy_in_the_environment_is_not_used_for_the_worker(serve: Serve) -> None:
    proxy = "http://127.0.0.1:9"
    worker, _ = serve("one_argument", env={"HTTP_PROXY": proxy, "http_proxy": proxy})
    assert worker.run(1) == 1


def test_host_may_be_a_name(serve: Serve) -> None:
    worker, _ = serve("one_argument", env={"WORKER_SOCKET_HOST": "localhost"})
    assert worker.run(1) == 1
