"""Results from memory over ZeroMQ: serving, asking, and unreachable peers."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import psutil
import pytest
import zmq

from tests.free_ports import free_port

from .conftest import Serve, Session
from .harness.events import Message
from .harness.storage import FolderStorage, decoded, encoded, header, run_stored, stored_job

LIMIT = 20_000  # milliseconds


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    (tmp_path / "storage").mkdir()
    return FolderStorage(tmp_path / "storage")


@pytest.fixture
def port() -> int:
    return free_port()


def environment(storage: FolderStorage, port: int, **more: str) -> dict[str, str | None]:
    return {
        **storage.environment,
        "DISCOVERY_ENABLE": "true",
        "DISCOVERY_PORT": str(port),
        "DISCOVERY_NETWORK_TIMEOUT": "2000",
        **more,
    }


@pytest.fixture
def context() -> Iterator[zmq.Context[Any]]:
    context: zmq.Context[Any] = zmq.Context()
    yield context
    context.destroy(linger=0)


def request(
    context: zmq.Context[Any], port: int, message: bytes, timeout: int = LIMIT
) -> list[bytes]:
    """Send one request, as all of HKube's wrappers do."""
    sock = context.socket(zmq.REQ)
    try:
        sock.linger = 0
        sock.connect(f"tcp://127.0.0.1:{port}")
        sock.send(message)
        assert sock.poll(timeout), "no answer"
        return list(sock.recv_multipart())
    finally:
        sock.close()


def ask(context: zmq.Context[Any], port: int, *tasks: str) -> list[Any]:
    """Request the results of tasks."""
    frames = request(context, port, msgpack.packb({"tasks": tasks}))
    assert len(frames) == 2 * len(tasks)
    return [decoded(head, body) for head, body in zip(frames[::2], frames[1::2], strict=True)]


NOT_AVAILABLE = {"hkube_error": {"code": "notAvailable", "message": "taskId notAvailable"}}


def run(session: Session, task: str, *inputs: Any, **links: Any) -> Message:
    return run_stored(session.worker, {**stored_job(*inputs, **links), "taskId": task})


# --- serving --------------------------------------------------------------------------------------


def test_results_are_held_and_served(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    session = serve("one_argument", env=environment(storage, port))
    storing = run(session, "t1", {"a": [1, 2]})
    assert isinstance(storing.data, dict)
    assert storing.data["discovery"] == {"host": "127.0.0.1", "port": str(port)}
    assert storing.data["taskId"] == "t1"
    assert storage.get(storing.data["storageInfo"]["path"]) == {"a": [1, 2]}
    run(session, "t2", "second")
    assert request(context, port + 1, b"ping") == [b"pong"]
    assert ask(context, port, "t2", "gone", "t1") == ["second", NOT_AVAILABLE, {"a": [1, 2]}]
    frames = request(context, port, msgpack.packb({"tasks": ["t1"]}))
    assert frames == list(encoded({"a": [1, 2]}, "msgpack"))


@pytest.mark.parametrize("request_", [b"", b"junk", msgpack.packb([]), msgpack.packb({"tasks": 5})])
def test_invalid_requests(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any], request_: bytes
) -> None:
    session = serve("one_argument", env=environment(storage, port))
    run(session, "t1", 1)
    head, body = request(context, port, request_)
    assert decoded(head, body)["hkube_error"]["code"] == "unknown"
    assert request(context, port + 1, b"what") == [b""]
    assert ask(context, port, "t1") == [1]


def test_pings_and_results_while_user_code_holds_the_gil(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    code = "def start(args, api):\n    return sum(range(args['input'][0]))\n"
    session = serve({"main.py": code}, env=environment(storage, port))
    run(session, "t1", 10)
    session.worker.begin(**stored_job(400_000_000))
    assert request(context, port + 1, b"ping") == [b"pong"]
    assert ask(context, port, "t1") == [45]
    assert "done" not in session.worker.commands()[5:]  # it is still running
    session.worker.send("stop", {"forceStop": True})
    session.worker.wait_for("stopped")


HANGS = """
def start(args, api):
    while args["input"][0] == "hang":
        try:
            while True:
                pass
        except BaseException:
            pass
    return args["input"][0]
"""


def test_killed_algorithm_loses_no_result(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    session = serve({"main.py": HANGS}, env=environment(storage, port))
    run(session, "t1", "kept")
    session.worker.begin(**stored_job("hang"))
    session.worker.send("stop", {"forceStop": True})
    session.worker.wait_for("stopped")
    assert ask(context, port, "t1") == ["kept"]
    run(session, "t2", "new")  # the new process hands over its results too
    assert ask(context, port, "t1", "t2") == ["kept", "new"]


def test_budget_in_bytes(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    code = "def start(args, api):\n    return bytes(args['input'][0])\n"
    env = environment(storage, port, DISCOVERY_MAX_CACHE_SIZE="10")
    session = serve({"main.py": code}, env=env)
    for task, size in (("a", 5_000_000), ("b", 5_000_000), ("c", 5_000_000), ("d", 20_000_000)):
        storing = run(session, task, size)
        assert isinstance(storing.data, dict)
        assert ("discovery" in storing.data) is (size < 10_000_000)
    sizes = [len(result) for result in ask(context, port, "a", "b", "c", "d") if result]
    assert sizes == [1, 5_000_000, 5_000_000, 1]


def test_worker_receives_serving_status(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    env = environment(storage, port, DISCOVERY_SERVING_REPORT_INTERVAL="200")
    session = serve("one_argument", env=env)
    run(session, "t1", 1)
    ask(context, port, "t1")
    for _ in range(3):
        assert session.worker.wait_for("servingStatus").data is True


def test_port_in_use_is_reported_and_tasks_still_run(
    serve: Serve, storage: FolderStorage, port: int
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        session = serve("one_argument", env=environment(storage, port))
        storing = run(session, "t1", 1)
    assert isinstance(storing.data, dict)
    assert "discovery" not in storing.data
    assert "set DISCOVERY_PORT, or set DISCOVERY_ENABLE to false" in session.wrapper.stderr


def test_serving_in_one_process(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    session = serve(
        "one_argument", env=environment(storage, port), arguments=("-m", "wrapper", "--in-process")
    )
    run(session, "t1", [1])
    assert ask(context, port, "t1") == [[1]]


def test_eight_peers_need_no_more_memory_than_one(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    size = 100_000_000
    code = f"def start(args, api):\n    return bytes({size})\n"
    session = serve({"main.py": code}, env=environment(storage, port))
    supervisor = psutil.Process(session.wrapper.pid)
    before = supervisor.memory_info().rss
    run(session, "t1")
    most, done = before, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.002):
            most = max(most, supervisor.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        sockets = [context.socket(zmq.REQ) for _ in range(8)]
        for sock in sockets:
            sock.connect(f"tcp://127.0.0.1:{port}")
            sock.send(msgpack.packb({"tasks": ["t1"]}))
        for sock in sockets:
            assert sock.poll(LIMIT)
            head, body = sock.recv_multipart(copy=False)
            assert bytes(head.buffer) == header(1, "msgpack") and len(body.buffer) == size
            sock.close(0)
            del head, body
    finally:
        done.set()
        watcher.join()
    assert most - before < size + 60_000_000


# --- asking ---------------------------------------------------------------------------------------


def link(storing: Message, **more: Any) -> dict[str, Any]:
    """Return the link that HKube makes from a `storing` message."""
    assert isinstance(storing.data, dict)
    parts = {name: storing.data[name] for name in ("storageInfo", "discovery", "taskId")}
    return {**parts, **more}


def test_one_algorithm_reads_from_another(serve: Serve, storage: FolderStorage, port: int) -> None:
    first = serve("one_argument", env=environment(storage, port))
    second = serve("one_argument", env=environment(storage, free_port()))
    links = []
    for task, value in (("t1", {"a": [1, 2]}), ("t2", "text")):
        storing = run(first, task, value)
        links.append(link(storing))
        assert isinstance(storing.data, dict)
        (storage.folder / storing.data["storageInfo"]["path"]).unlink()  # now only in memory
    run(second, "s1", "$$k", k={**links[0], "path": "a.1"})
    both = {"discovery": links[0]["discovery"], "tasks": ["t1", "t2"]}
    run(second, "s2", "$$k", k=[both, links[1]])
    assert storage.get("local-hkube/main:p19pa1nk/s1") == 2
    assert storage.get("local-hkube/main:p19pa1nk/s2") == [{"a": [1, 2]}, "text", "text"]


def test_unreachable_peers_cost_the_network_timeout_at_most(
    serve: Serve, storage: FolderStorage, port: int
) -> None:
    first = serve("one_argument", env=environment(storage, port))
    gone = link(run(first, "t1", "stored"))
    first.worker.send("exit", {})
    first.wrapper.wait()
    env = environment(storage, free_port(), DISCOVERY_NETWORK_TIMEOUT="2000")
    second = serve("one_argument", env=env)
    run(second, "s0", "warm")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = {"host": "127.0.0.1", "port": listening.getsockname()[1] - 1}
        info = storage.put("also stored", "local-hkube/main:p19pa1nk/t2")
        silent = {"storageInfo": info, "discovery": address, "taskId": "t2"}
        run(second, "s1", "$$k", k=[gone] * 3 + [silent])
    assert storage.get("local-hkube/main:p19pa1nk/s1") == ["stored"] * 3 + ["also stored"]
    assert f"the peer 127.0.0.1:{port}: cannot connect to it" in second.wrapper.stderr
    assert "it did not answer in time; reading from the storage" in second.wrapper.stderr


def test_peer_that_leaves_before_its_write_finishes(
    serve: Serve, storage: FolderStorage, port: int
) -> None:
    """The result is not lost: readers wait for the write in progress."""
    env = environment(storage, free_port(), DISCOVERY_NETWORK_TIMEOUT="300")
    second = serve("one_argument", env=env)
    path = "local-hkube/main:p19pa1nk/t1"
    info = {"path": path, "size": 5}
    gone = {"storageInfo": info, "discovery": {"host": "127.0.0.1", "port": port}, "taskId": "t1"}
    second.worker.initialize(**{**stored_job("$$k", k=gone), "taskId": "s1"})
    second.worker.expect("initialized")
    second.worker.send("start", {})
    second.wrapper.wait_for_log(f"reading {path}: the file does not exist")
    storage.put("late", path)
    second.worker.wait_for("done")
    assert storage.get("local-hkube/main:p19pa1nk/s1") == "late"


@pytest.mark.parametrize("answer", [[b""], [b"x"], [b"1", b"2", b"3"], None])
def test_peer_with_invalid_or_missing_answers(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any], answer: Any
) -> None:
    sockets = [context.socket(zmq.REP) for _ in range(2)]
    for offset, sock in enumerate(sockets):
        sock.bind(f"tcp://127.0.0.1:{port + offset}")

    def play() -> None:
        assert sockets[1].poll(LIMIT)
        sockets[1].recv()
        sockets[1].send(b"pong")
        assert sockets[0].poll(LIMIT)
        sockets[0].recv()
        if answer is not None:
            sockets[0].send_multipart(answer)

    player = threading.Thread(target=play)
    player.start()
    env = environment(storage, free_port(), DISCOVERY_TIMEOUT="500")
    session = serve("one_argument", env=env)
    info = storage.put("stored")
    peer = {"storageInfo": info, "discovery": {"host": "127.0.0.1", "port": port}, "taskId": "t"}
    run(session, "s1", "$$k", k=peer)
    player.join()
    for sock in sockets:
        sock.close(0)
    assert storage.get("local-hkube/main:p19pa1nk/s1") == "stored"
    assert "reading from the storage" in session.wrapper.stderr


def test_mode_v1_loads_no_storage_code(serve: Serve) -> None:
    code = (
        "import sys\n"
        "def start(args, api):\n"
        "    return [name for name in sys.modules if name.split('.')[0] in ('zmq', 'obstore')\n"
        "        or '.storage.' in name or 'storage_shapes' in name]\n"
    )
    worker, wrapper = serve({"main.py": code})
    assert worker.run() == []
    maps = Path(f"/proc/{wrapper.pid}/maps").read_text()
    assert "zmq" not in maps and "obstore" not in maps
    os.kill(wrapper.pid, signal.SIGTERM)


FEW_FILES = (
    "import resource, runpy, sys; "
    "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
    "sys.argv = ['wrapper']; runpy.run_module('wrapper', run_name='__main__')"
)


def test_idle_connections_keep_nobody_from_replacing_a_stuck_algorithm(
    serve: Serve, storage: FolderStorage, port: int, context: zmq.Context[Any]
) -> None:
    env = environment(storage, port)
    session = serve({"main.py": HANGS}, env=env, arguments=("-c", FEW_FILES))
    run(session, "t1", "kept")
    strangers = []
    for number in range(600):
        strangers.append(socket.create_connection(("127.0.0.1", port + number % 2), 10))
    session.wrapper.wait_for_log("connections to a port that serves results are open")
    session.worker.begin(**stored_job("hang"))
    session.worker.send("stop", {"forceStop": True})
    session.worker.wait_for("stopped")
    run(session, "t2", "new")
    assert psutil.Process(session.wrapper.pid).num_fds() < 200
    for stranger in strangers:
        stranger.close()
    assert ask(context, port, "t1", "t2") == ["kept", "new"]
