"""The wrapper over socket.io, with npm's socket.io 2 as the worker's server."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pytest

from tests.e2e.harness.process import WrapperProcess, install

from .socketio_worker import SocketioWorker


class Pair(NamedTuple):
    worker: SocketioWorker
    wrapper: WrapperProcess


class Start(Protocol):
    def __call__(
        self, algorithm: str | Mapping[str, str], env: Mapping[str, str] = {}, **options: Any
    ) -> Pair: ...


@pytest.fixture
def start(node: str, tmp_path: Path) -> Iterator[Start]:
    """Start a worker and a wrapper, and wait until they are connected."""
    pairs: list[Pair] = []

    def begin(
        algorithm: str | Mapping[str, str], env: Mapping[str, str] = {}, **options: Any
    ) -> Pair:
        folder = tmp_path / f"wrapper-{len(pairs)}"
        install(algorithm, folder / "work")
        worker = SocketioWorker(node, tmp_path / "node.log", **options)
        wrapper = WrapperProcess(
            folder, worker.port, {"WORKER_ALGORITHM_PROTOCOL": "socket", **env}
        )
        pairs.append(Pair(worker, wrapper))
        assert worker.wait_for("connected")["transport"] == "websocket"
        return pairs[-1]

    yield begin
    faults = [fault for pair in pairs for fault in pair.wrapper.finish()]
    for pair in pairs:
        pair.worker.close()
    assert not faults, "\n".join([*faults, *(pair.wrapper.story() for pair in pairs)])


def test_whole_task(start: Start) -> None:
    worker, _ = start("echo")
    values = [{"any": ["json", 1.5, None, "☃]"]}]
    assert worker.run(*values) == {"command": "done", "data": values}
    assert worker.run("again")["data"] == ["again"]


def test_failing_task(start: Start) -> None:
    worker, _ = start({"main.py": "def start(args, api):\n    raise ValueError('no number')\n"})
    message = worker.run("anything")
    assert message["command"] == "errorMessage"
    assert "no number" in message["error"]["message"]


def test_stop_and_exit(start: Start) -> None:
    worker, wrapper = start("endless")
    worker.begin("loop")
    worker.send("stop")
    worker.take("stopped")
    worker.send("exit", {"exitCode": 5})
    assert wrapper.wait() == 5
    assert worker.wait_for("disconnected")["reason"] == "client namespace disconnect"


def test_event_without_an_argument_is_a_command(start: Start) -> None:
    worker, _ = start("echo")
    worker.ask("emitNothing", name="stop")
    worker.take("stopped")


def test_pings_keep_a_silent_connection_open(start: Start) -> None:
    worker, _ = start("echo", pingInterval=300, pingTimeout=900)
    for _ in range(8):  # the server would have closed the connection after four
        worker.wait_for("ping")
    assert worker.run("still here")["data"] == ["still here"]
    assert [event["event"] for event in worker.events].count("connected") == 1


def test_servers_pings_are_answered(start: Start) -> None:
    worker, _ = start("echo")
    worker.ask("ping", data="probe")
    assert worker.wait_for("pong")["data"] == "probe"


@pytest.mark.parametrize("how", ["disconnect", "closeSession", "terminate"])
def test_lost_connection_is_opened_again(start: Start, how: str) -> None:
    worker, _ = start("echo")
    worker.run("before")
    worker.ask(how)
    worker.wait_for("disconnected")
    worker.wait_for("connected")
    assert worker.run("after")["data"] == ["after"]


def test_result_made_while_disconnected_is_sent_later(start: Start) -> None:
    worker, wrapper = start("waits_for_file", {"DEV_MODE": "true"})
    worker.begin("wait")
    worker.ask("terminate")
    worker.wait_for("disconnected")
    (wrapper.work / "go").write_text("on")
    worker.wait_for("connected")
    assert worker.final() == {"command": "done", "data": "waited"}


def test_attachments_arrive_as_node_writes_buffers_in_json(start: Start) -> None:
    worker, _ = start("echo")
    value = {"image": b"\x00\xff", "others": [b"", "text"]}
    assert worker.run(value)["data"] == [
        {
            "image": {"type": "Buffer", "data": [0, 255]},
            "others": [{"type": "Buffer", "data": []}, "text"],
        }
    ]


LIMIT = 50_000
OF_LENGTH = {"main.py": "def start(args, api):\n    return 'x' * args['input'][0]\n"}


def test_largest_result_arrives_and_a_larger_one_is_an_error(start: Start) -> None:
    env = {"WORKER_SOCKET_MAX_PAYLOAD_BYTES": str(LIMIT)}
    worker, _ = start(OF_LENGTH, env, maxHttpBufferSize=LIMIT)
    around = len('{"command":"done","data":""}')
    largest = LIMIT - 64 - around
    assert len(worker.run(largest)["data"]) == largest
    error = worker.run(largest + 1)["error"]
    assert "too large" in error["message"]
    assert [event["event"] for event in worker.events].count("connected") == 1


def test_logs_are_not_sent_and_a_warning_says_so(start: Start) -> None:
    worker, wrapper = start("prints", {"REDIRECT_LOGS": "true"})
    worker.run("text")
    wrapper.wait_for_log("REDIRECT_LOGS has no effect: HKube takes no logs over socket.io")
    assert "unheard" not in [event["event"] for event in worker.events]


def test_sigterm_ends_the_session_in_order(start: Start) -> None:
    worker, wrapper = start("echo")
    worker.run("x")
    wrapper.signal(signal.SIGTERM)
    assert wrapper.wait() == 143
    assert worker.wait_for("disconnected")["reason"] == "client namespace disconnect"


@pytest.mark.parametrize(
    ("env", "options"),
    [({"WORKER_ALGORITHM_PROTOCOL": "socket"}, {"path": "/elsewhere"}), ({}, {})],
    ids=["another path", "only the worker is set to socket.io"],
)
def test_server_that_speaks_something_else_is_reported(
    node: str, tmp_path: Path, env: dict[str, str], options: dict[str, str]
) -> None:
    worker = SocketioWorker(node, tmp_path / "node.log", **options)
    install("echo", tmp_path / "wrapper" / "work")
    wrapper = WrapperProcess(tmp_path / "wrapper", worker.port, env)
    wrapper.wait_for_log("is WORKER_ALGORITHM_PROTOCOL the same for HKube's worker?")
    assert not wrapper.finish()
    worker.close()
