"""`stop`: whatever user code does, `stopped` comes within 10 s, and the next task runs."""

from __future__ import annotations

import time

import psutil
import pytest

from .conftest import Serve, Session, both_protocols

pytestmark = both_protocols

LIMIT = 10.0  # seconds; the worker's


def stop(session: Session, force: bool = True) -> float:
    """Send a stop, wait for its answer, and return how long that took."""
    sent = time.monotonic()
    session.worker.send("stop", {"forceStop": force})
    session.worker.wait_for("stopped", timeout=LIMIT)
    return time.monotonic() - sent


def begin(session: Session, *inputs: object) -> None:
    """Start a task and wait until the user's code waits."""
    session.worker.begin(*inputs)
    session.wrapper.wait_until(lambda: "waiting" in session.wrapper.stdout, "the user's code")


def test_stop_when_idle(serve: Serve) -> None:
    session = serve("one_argument")
    stop(session, force=False)
    assert session.worker.run(1) == 1
    stop(session)
    assert session.worker.run(2) == 2
    assert session.worker.commands().count("stopped") == 2


def test_stop_without_data(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.send("stop")
    worker.expect("stopped")


def test_stop_right_after_done(serve: Serve) -> None:
    session = serve("one_argument")
    for number in range(5):
        assert session.worker.run(number) == number
        stop(session)
    assert session.worker.run("next") == "next"


def test_stop_when_initialized_and_not_started(serve: Serve) -> None:
    session = serve("one_argument")
    session.worker.initialize(1)
    session.worker.expect("initialized")
    stop(session)
    session.worker.send("start", {})
    session.worker.expect_silence(0.3)
    assert session.worker.run(2) == 2


def test_stop_while_initializing(serve: Serve) -> None:
    session = serve("waits_for_file")
    session.worker.initialize("initialize")
    session.wrapper.wait_for_file("begun")
    stop(session)
    assert session.worker.run("next") == "next"
    assert session.worker.commands().count("initialized") == 1


@pytest.mark.parametrize("how", ["loop", "sleep", "lock", "subprocess", "swallow-exceptions"])
def test_code_without_stop_is_interrupted_at_once(serve: Serve, how: str) -> None:
    session = serve("endless")
    pid = session.wrapper.algorithm().pid
    begin(session, how)
    assert stop(session) < 4
    assert "cleaned up" in session.wrapper.stdout
    assert session.worker.run("return") == "not stopped"
    assert session.wrapper.algorithm().pid == pid
    assert session.worker.commands()[2:4] == ["stopped", "initialized"]


def test_cleanup_runs_and_its_result_is_not_sent(serve: Serve) -> None:
    session = serve("cleans_up")
    begin(session, "wait")
    assert 1 <= stop(session) < LIMIT
    assert "cleaned up" in session.wrapper.stdout
    assert session.worker.run("next") == "free"
    assert session.worker.commands().count("done") == 1


def test_users_stop_may_set_a_flag(serve: Serve) -> None:
    session = serve("stop_by_flag")
    begin(session, "wait")
    assert stop(session) < 4
    assert session.worker.run("stops") == [{"forceStop": True}]


def test_users_stop_without_argument(serve: Serve) -> None:
    session = serve("stop_without_argument")
    begin(session, "wait")
    assert stop(session) < 4
    assert session.worker.run("calls") == ["init", "stop", "init"]


def test_user_code_may_poll_stop_requested(serve: Serve) -> None:
    session = serve("polls_stop_requested")
    begin(session, "wait")
    assert stop(session) < 4
    assert "saw the flag" in session.wrapper.stdout
    assert session.worker.run("flag") is False


def test_users_stop_raises(serve: Serve) -> None:
    session = serve("stop_raises")
    begin(session, "wait")
    stop(session)
    session.wrapper.wait_for_log("no stopping")
    assert session.worker.run("next") == "free"


def test_users_stop_hangs(serve: Serve) -> None:
    session = serve("stop_hangs")
    begin(session, "wait")
    stop(session)
    assert session.worker.run("next") == "free"


@pytest.mark.parametrize("algorithm", ["stop_is_ignored", "swallows_everything"])
def test_uninterruptible_process_is_replaced(serve: Serve, algorithm: str) -> None:
    session = serve(algorithm)
    pid = session.wrapper.algorithm().pid
    begin(session, "stick")
    took = stop(session)
    assert 4 < took < LIMIT
    assert "main.py" in session.wrapper.stderr, "the stuck stack is in the log"
    assert session.worker.run("next") == "free"
    assert session.wrapper.algorithm().pid != pid
    assert session.worker.connections == 1
    assert "stopping" in session.worker.commands()


def test_process_that_holds_the_gil_is_replaced(serve: Serve) -> None:
    session = serve("holds_gil_forever")
    begin(session, "stick")
    stop(session)
    assert "main.py" in session.wrapper.stderr, "the stuck stack is in the log"
    assert session.worker.run("next") == "free"


def test_what_user_code_started_ends_with_the_process_that_is_replaced(serve: Serve) -> None:
    worker, wrapper = session = serve("leaves_children")
    before = len(wrapper.survivors())
    begin(session, "stick")
    assert len(wrapper.survivors()) == before + 3
    stop(session)
    wrapper.algorithm()
    assert len(wrapper.survivors()) == before
    assert len(worker.run()) == 3


def test_what_a_replaced_process_did_not_read_is_freed(serve: Serve) -> None:
    worker, wrapper = session = serve("holds_gil_forever")
    begin(session, "stick")
    supervisor = psutil.Process(wrapper.pid)
    before = supervisor.memory_info().rss
    worker.send("algorithmExecutionDone", {"execId": "nobody", "response": "x" * 60_000_000})
    wrapper.wait_until(lambda: supervisor.memory_info().rss > before + 40_000_000, "the answer")
    stop(session)
    assert worker.run("next") == "free"
    assert supervisor.memory_info().rss < before + 20_000_000


def test_alive_continues_while_the_gil_is_held(serve: Serve) -> None:
    worker, _ = serve("holds_gil")
    worker.begin(12)
    begun = time.monotonic()
    assert worker.finish(timeout=40).data == 0
    assert time.monotonic() - begun > 11
    assert sum(message.command == "alive" for message in worker.received) >= 3


def test_alive_continues_while_stopping(serve: Serve) -> None:
    session = serve("stop_is_ignored")
    begin(session, "stick")
    sent = time.monotonic()
    stop(session)
    later = [m for m in session.worker.received if m.command == "alive" and m.time > sent]
    assert len(later) >= 2


def test_stop_twice(serve: Serve) -> None:
    session = serve("cleans_up")
    begin(session, "wait")
    session.worker.send("stop", {"forceStop": False})
    stop(session)
    assert session.worker.run("next") == "free"


def test_new_task_sent_while_stopping_runs_afterwards(serve: Serve) -> None:
    session = serve("cleans_up")
    begin(session, "wait")
    session.worker.send("stop", {"forceStop": True})
    session.worker.initialize("next")
    session.worker.wait_for("stopped", timeout=LIMIT)
    session.worker.expect("initialized")
    session.worker.send("start", {})
    session.worker.expect("started")
    assert session.worker.finish().data == "free"


@pytest.mark.parametrize("how", ["raise", "sys.exit", "os._exit", "segfault"])
def test_any_end_while_stopping_counts_as_stopped(serve: Serve, how: str) -> None:
    session = serve("raises_when_stopped")
    begin(session, how)
    assert stop(session) < 5
    assert session.worker.run("work") == "worked"
    assert "errorMessage" not in session.worker.commands()
    assert session.worker.connections == 1


def test_async_functions_of_every_kind(serve: Serve) -> None:
    session = serve("async_functions")
    begin(session, "wait")
    stop(session)
    assert session.worker.run("calls") == ["initialize", "stop", "initialize"]
    session.worker.send("exit")
    assert session.wrapper.wait() == 0
    assert "exit was awaited" in session.wrapper.stdout


def test_async_start_is_cancelled(serve: Serve) -> None:
    session = serve("asynchronous")
    begin(session, "wait")
    assert stop(session) < 4
    assert "cancelled" in session.wrapper.stdout
    assert session.worker.run("plain") == "async"


def test_users_event_loop_is_interrupted(serve: Serve) -> None:
    session = serve("runs_asyncio")
    begin(session, "wait")
    stop(session)
    assert session.worker.run(4) == 8


def test_users_signal_handlers_do_not_prevent_a_stop(serve: Serve) -> None:
    session = serve("own_signal_handlers")
    begin(session, "wait")
    stop(session)
    assert session.worker.run("next") == "installed"


def test_waiting_call_ends_at_a_stop(serve: Serve) -> None:
    session = serve("many_calls")
    session.worker.begin(3)
    for _ in range(3):
        session.worker.wait_for("startStoredSubPipeline")
    assert stop(session) < 4
    session.worker.answers["startStoredSubPipeline"] = lambda message: (
        "subPipelineDone",
        {"subPipelineId": message.data["subPipelineId"], "response": "late"},
    )
    assert session.worker.run(1) == ["late"]
