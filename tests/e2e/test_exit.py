"""The container's end: `exit`, SIGTERM, bad settings; the exit code, and no process left."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from .conftest import Serve, Session, both_protocols

pytestmark = both_protocols

LIMIT = 20.0  # seconds; how long the worker waits after `exit`


def bring_to(session: Session, state: str) -> None:
    """Bring a session of `exit_writes` into a state."""
    worker = session.worker
    worker.run()  # loads the module
    if state == "initializing":
        worker.initialize("initialize")
    elif state == "ready":
        worker.initialize()
        worker.expect("initialized")
    elif state in ("running", "stopping"):
        worker.begin("wait")
    if state in ("initializing", "running", "stopping"):
        session.wrapper.wait_until(lambda: "waiting" in session.wrapper.stdout, "the user's code")
    if state == "stopping":
        worker.send("stop", {"forceStop": True})


STATES = ["idle", "initializing", "ready", "running", "stopping"]


@pytest.mark.parametrize("state", STATES)
def test_exit_in_every_state(serve: Serve, state: str) -> None:
    session = serve("exit_writes")
    bring_to(session, state)
    session.worker.send("exit", {"exitCode": 3})
    assert session.wrapper.wait(LIMIT) == 3
    written = json.loads((session.wrapper.work / "exit-data").read_text())
    assert written == {"exitCode": 3}
    assert session.wrapper.survivors() == []
    assert session.worker.commands().count("done") == 1, "of the task before"


@pytest.mark.parametrize("data", [{}, {"exitCode": "five"}, None, [], {"exitCode": None}])
def test_exit_without_a_usable_code(serve: Serve, data: object) -> None:
    worker, wrapper = serve("echo")
    worker.send("exit", data)
    assert wrapper.wait(LIMIT) == 0


def test_exit_without_data(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    worker.send("exit")
    assert wrapper.wait(LIMIT) == 0
    assert (wrapper.work / "exit-data").exists()


def test_failing_exit_function_changes_nothing(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    (wrapper.work / "raise").touch()
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(LIMIT) == 3
    assert "main.py" in wrapper.stderr


@pytest.mark.parametrize("mode", [[], ["--in-process"]])
@pytest.mark.parametrize(
    ("argument", "code", "printed"),
    [(44, 44, ""), (300, 44, ""), (0, 3, ""), (None, 3, ""), ("no disk", 1, "no disk\n")],
)
def test_sys_exit_in_the_exit_function_is_a_quiet_end(
    serve: Serve, mode: list[str], argument: object, code: int, printed: str
) -> None:
    worker, wrapper = serve("exit_writes", arguments=("-m", "wrapper", *mode))
    worker.run()
    (wrapper.work / "leave").write_text(json.dumps(argument))
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(LIMIT) == code
    assert "ERROR" not in wrapper.stderr and "Traceback" not in wrapper.stderr
    assert printed in wrapper.stderr


def test_sys_exit_does_not_hide_a_sigterm(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    (wrapper.work / "leave").write_text("44")
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(LIMIT) == 143


def test_hanging_exit_function_is_cut_short(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    (wrapper.work / "hang").touch()
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(LIMIT) == 3
    assert wrapper.survivors() == []


def test_exit_of_code_that_ignores_everything(serve: Serve) -> None:
    worker, wrapper = serve("swallows_everything")
    worker.begin("stick")
    wrapper.wait_until(lambda: "waiting" in wrapper.stdout, "the user's code")
    worker.send("exit", {"exitCode": 3})
    assert wrapper.wait(LIMIT) == 3
    assert wrapper.survivors() == []


@pytest.mark.parametrize("ending", ["exit", "SIGTERM"])
def test_no_process_survives(serve: Serve, ending: str) -> None:
    worker, wrapper = serve("leaves_children")
    pids = worker.run()
    alive = {process.pid for process in wrapper.survivors()}
    assert alive >= set(pids), "between tasks they may live"
    assert worker.run() != pids
    if ending == "exit":
        worker.send("exit", {"exitCode": 0})
    else:
        wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(LIMIT) == (0 if ending == "exit" else 143)
    assert wrapper.survivors() == []


@pytest.mark.parametrize("kind", ["daemon", "plain"])
def test_running_threads_do_not_delay_the_exit(serve: Serve, kind: str) -> None:
    worker, wrapper = serve("leaves_threads")
    assert worker.run(kind) is True
    assert worker.run(kind) is True
    begun = time.monotonic()
    worker.send("exit", {"exitCode": 0})
    assert wrapper.wait(LIMIT) == 0
    assert time.monotonic() - begun < 10


def test_leftover_pool_does_not_delay_the_exit(serve: Serve) -> None:
    worker, wrapper = serve("leaves_pool")
    assert worker.run() == [0, 1, 4, 9, 16]
    worker.send("exit", {"exitCode": 0})
    assert wrapper.wait(10) == 0
    assert wrapper.survivors() == []


@pytest.mark.parametrize("more", [[], ["--in-process"]], ids=["two processes", "in-process"])
@pytest.mark.parametrize("state", STATES)
def test_sigterm_in_every_state(serve: Serve, state: str, more: list[str]) -> None:
    """The worker retries a task whose container ends; any final message would end it for good."""
    session = serve("exit_writes", arguments=("-m", "wrapper", *more))
    bring_to(session, state)
    before = [command for command in finals(session) if command != "stopped"]
    session.wrapper.signal(signal.SIGTERM)
    assert session.wrapper.wait(10) == 143
    assert (session.wrapper.work / "exit-data").exists()
    assert session.wrapper.survivors() == []
    session.worker.wait_disconnected()
    assert finals(session) == before + (["stopped"] if state == "stopping" else [])


@pytest.mark.parametrize("state", ["initializing", "ready", "running", "stopping"])
def test_sigterm_with_a_storage(serve: Serve, tmp_path: Path, state: str) -> None:
    storage = {"STORAGE_PROTOCOL": "v3", "DISCOVERY_ENABLE": "false"}
    folder = {"DEFAULT_STORAGE": "fs", "BASE_FS_ADAPTER_DIRECTORY": str(tmp_path / "storage")}
    session = serve("exit_writes", env=storage | folder)
    bring_to(session, state)
    before = [command for command in finals(session) if command != "stopped"]
    session.wrapper.signal(signal.SIGTERM)
    assert session.wrapper.wait(10) == 143
    session.worker.wait_disconnected()
    assert finals(session) == before + (["stopped"] if state == "stopping" else [])


def finals(session: Session) -> list[str | None]:
    """The messages that end a task for the worker."""
    ends = ("done", "stopped", "errorMessage", "storing")
    return [command for command in session.worker.commands() if command in ends]


def test_sigterm_before_the_worker_is_available(serve: Serve) -> None:
    _, wrapper = serve("echo", connect=False, listening=False)
    wrapper.algorithm()
    wrapper.wait_until(lambda: bool(wrapper.stderr), "first line of the log")
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(10) == 143


def test_sigterm_while_disconnected(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.begin("wait")
    worker.stop_listening()
    worker.drop()
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(10) == 143
    assert (wrapper.work / "exit-data").exists()


def test_sigterm_of_stuck_code(serve: Serve) -> None:
    worker, wrapper = serve("swallows_everything")
    worker.begin("stick")
    wrapper.wait_until(lambda: "waiting" in wrapper.stdout, "the user's code")
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(10) == 143
    assert wrapper.survivors() == []


def test_second_sigterm_ends_at_once(serve: Serve) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    (wrapper.work / "hang").touch()
    wrapper.signal(signal.SIGTERM)
    wrapper.wait_for_file("exit-data")
    begun = time.monotonic()
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait(10) == 143
    assert time.monotonic() - begun < 5  # a single one waits for 8
    assert wrapper.survivors() == []


def test_sigint_ends_the_wrapper_too(serve: Serve) -> None:
    worker, wrapper = serve("echo")
    worker.run()
    wrapper.signal(signal.SIGINT)
    assert wrapper.wait(10) in (130, 143)
    assert "Traceback" not in wrapper.stderr


def test_all_bad_settings_are_listed_at_once(serve: Serve) -> None:
    bad = {
        "WORKER_SOCKET_PORT": "none",
        "WORKER_ALGORITHM_ENCODING": "xml",
        "WORKER_SOCKET_MAX_PAYLOAD_BYTES": "big",
        "HKUBE_LOG_FORMAT": "yaml",
    }
    _, wrapper = serve("echo", env=bad, connect=False)
    assert wrapper.wait() == 78
    for name, value in bad.items():
        assert name in wrapper.stderr
        assert value in wrapper.stderr
    assert "Traceback" not in wrapper.stderr


def test_debug_connection_is_already_in_use(serve: Serve) -> None:
    worker, wrapper = serve("echo")
    worker.send("alreadyConnectedError", {"hostname": "laptop-of-ann"})
    worker.hang_up(4001)
    assert wrapper.wait() == 69
    assert "laptop-of-ann" in wrapper.stderr
    assert worker.connections == 1


@pytest.mark.parametrize("command", ["exit", "alreadyConnectedError"])
def test_connection_is_not_reopened_while_exit_runs(serve: Serve, command: str) -> None:
    worker, wrapper = serve("exit_writes")
    worker.run()
    (wrapper.work / "hang").touch()
    worker.send(command, {"exitCode": 3, "hostname": "laptop-of-ann"})
    wrapper.wait_for_file("exit-data")
    worker.hang_up(4001)
    worker.expect_silence(0.7)
    (wrapper.work / "hang").unlink()
    assert wrapper.wait(5) == (3 if command == "exit" else 69)
    assert worker.connections == 1
