"""Storage mode v3 with files: inputs, results and references."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Serve
from .harness.events import Message
from .harness.storage import FolderStorage, encoded, header, run_stored, stored_job
from .harness.worker import ScriptedWorker

ENCODINGS = ("msgpack", "bson", "json")


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    (tmp_path / "storage").mkdir()
    return FolderStorage(tmp_path / "storage")


def result(storage: FolderStorage, storing: Message) -> Any:
    """Read the result that a `storing` message refers to."""
    assert isinstance(storing.data, dict)
    info = storing.data["storageInfo"]
    stored = storage.raw(info["path"])
    assert info["size"] == len(stored) - (8 if stored[6:8] == b"HK" else 0)
    return storage.get(info["path"])


def run(worker: ScriptedWorker, storage: FolderStorage, *inputs: Any, **links: Any) -> Any:
    """Run a task and return its result."""
    return result(storage, run_stored(worker, stored_job(*inputs, **links)))


def fail(worker: ScriptedWorker, *inputs: Any, **links: Any) -> str:
    """Run a task that must fail with a StorageError, and return its message."""
    error = worker.fail(**stored_job(*inputs, **links))
    assert error["code"] == "StorageError"
    message = error["message"]
    assert isinstance(message, str) and "\n" not in message
    return message


# --- success --------------------------------------------------------------------------------------


def test_recorded_task(serve: Serve, storage: FolderStorage) -> None:
    worker, wrapper = serve("echo", env=storage.environment)
    assert worker.queries == [{"storage": "v3", "encoding": "json"}]
    first = storage.put({"data": {"x": [5, 6, {"y": "deep"}]}})
    job = stored_job(
        {"op": "echo"},
        "$$k1",
        {"inner": "$$k2"},
        "$$k3",
        k1={"storageInfo": first, "path": "data.x.2.y"},
        k2=first,
        k3=[{"storageInfo": first, "path": "data.x.0"}, {"storageInfo": first}],
    )
    assert job["flatInput"] == {"1": "$$k1", "3": "$$k3", "0.op": "echo", "2.inner": "$$k2"}
    storing = run_stored(worker, {**job, "taskId": "t1"})
    whole = {"data": {"x": [5, 6, {"y": "deep"}]}}
    assert result(storage, storing) == [{"op": "echo"}, "deep", {"inner": whole}, [5, whole]]
    path = "local-hkube/main:p19pa1nk/t1"
    assert storing.data == {
        "storageInfo": {"path": path, "size": len(storage.raw(path)) - 8},
        "metadata": {"green": {"type": "array", "size": 4}},
    }
    assert worker.commands() == ["initialized", "started", "storing", "done"]
    assert f"storage v3: inputs and results are files in {storage.folder}" in wrapper.stderr


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_round_trip_in_every_encoding(serve: Serve, tmp_path: Path, encoding: str) -> None:
    storage = FolderStorage(tmp_path / "storage", encoding)
    worker, _ = serve("one_argument", env=storage.environment)
    values: list[Any] = [None, 0, "", False, [], {}, 1.5, "☃", 2**31 - 1, {"a": [1, {}]}]
    for value in values:
        again = run(worker, storage, "$$k", k=storage.put(value))
        assert (type(again), again) == (type(value), value)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_stored_bytes_match_hkubes(serve: Serve, tmp_path: Path, encoding: str) -> None:
    storage = FolderStorage(tmp_path / "storage", encoding)
    worker, _ = serve("one_argument", env=storage.environment)
    for value in ({"a": 1}, b"\x00\xffraw", b"12"):
        given = storage.put(value)
        storing = run_stored(worker, stored_job("$$k", k=given))
        assert isinstance(storing.data, dict)
        stored = storage.raw(storing.data["storageInfo"]["path"])
        head, payload = encoded(value, encoding)
        assert stored.replace(b" ", b"") == head + payload.replace(b" ", b"")


def test_bytes_are_stored_unchanged(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("results", env=storage.environment)
    storing = run_stored(worker, stored_job("bytearray"))
    assert isinstance(storing.data, dict)
    assert storage.raw(storing.data["storageInfo"]["path"]) == header(1, "msgpack") + b"abc"
    assert storing.data["metadata"] == {"green": {"type": "bytearray"}}


def test_metadata_of_the_requested_paths(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("results", env=storage.environment)
    paths = ["green", "green.array", "green.array.0.1", "green.scalar", "green.gone", "other"]
    storing = run_stored(worker, {**stored_job("numpy"), "info": {"savePaths": paths}})
    assert isinstance(storing.data, dict)
    assert storing.data["metadata"] == {
        "green": {"type": "object"},
        "green.array": {"type": "array", "size": 2},
        "green.array.0.1": {"type": "int64"},
        "green.scalar": {"type": "float32"},
    }


INITIALIZES = """
seen = []

def initialize(args):
    seen.append(args["input"][0])

def start(args, api):
    return [seen.pop(), args["input"][0]]
"""


def test_initialize_receives_the_input(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve({"main.py": INITIALIZES}, env=storage.environment)
    assert run(worker, storage, "$$k", k=storage.put([1])) == [[1], [1]]
    assert "no link" in fail(worker, "$$gone")
    assert run(worker, storage, "$$k", k=storage.put([2])) == [[2], [2]]


def test_changes_to_the_input_do_not_reach_the_next_task(
    serve: Serve, storage: FolderStorage
) -> None:
    worker, _ = serve("mutates_input", env=storage.environment)
    given = storage.put({"list": [1]})
    job = {**stored_job("$$k", {"again": "$$k"}, k=given), "useCache": True}
    first = run_stored(worker, job)
    second = run_stored(worker, job)
    assert result(storage, first) == result(storage, second)


def test_input_is_cached(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("one_argument", env=storage.environment)
    given = storage.put([1])
    job = {**stored_job("$$k", k=given), "useCache": True}
    assert result(storage, run_stored(worker, job)) == [1]
    (storage.folder / given["path"]).unlink()
    assert result(storage, run_stored(worker, job)) == [1]
    assert "the file does not exist" in fail(worker, "$$k", k=given)  # useCache is false


def test_batch_of_10000_items(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("one_argument", env=storage.environment)
    many = [storage.put({"n": number}) for number in range(2_000)]
    one = storage.put({"all": list(range(8_000))})
    links = [{"storageInfo": info, "path": "n"} for info in many]
    links += [{"storageInfo": one, "path": f"all.{number}"} for number in range(8_000)]
    assert run(worker, storage, "$$k", k=links) == [*range(2_000), *range(8_000)]


def test_result_larger_than_any_message(serve: Serve, storage: FolderStorage) -> None:
    code = "def start(args, api):\n    return bytes(150_000_000)\n"
    worker, _ = serve({"main.py": code}, env=storage.environment)
    storing = run_stored(worker, stored_job(), timeout=60)
    assert isinstance(storing.data, dict)
    info = storing.data["storageInfo"]
    assert info["size"] == 150_000_000
    assert os.path.getsize(storage.folder / info["path"]) == 150_000_008


def test_lost_connection_loses_no_result(serve: Serve, storage: FolderStorage) -> None:
    # Only in DEV_MODE does the worker still wait for the task after the connection was lost.
    env = {**storage.environment, "DEV_MODE": "true"}
    worker, wrapper = serve("waits_for_file", env=env)
    worker.begin(**stored_job("wait"))
    worker.drop()
    worker.pass_over()
    (wrapper.work / "go").write_text("x")
    worker.wait_connected(2)
    storing = worker.wait_for("storing")
    assert worker.expect("done").command == "done"
    result(storage, storing)


# --- calls of user code ---------------------------------------------------------------------------


def test_started_algorithm_gets_stored_input_and_returns_a_stored_result(
    serve: Serve, storage: FolderStorage
) -> None:
    worker, _ = serve("calls", env=storage.environment)
    received: dict[str, Any] = {}

    def answer(message: Message) -> tuple[str, Any]:
        assert isinstance(message.data, dict)
        received.update(message.data)
        info = storage.put({"sum": 3})
        response = {"storageInfo": info, "metadata": {}}
        return "algorithmExecutionDone", {"execId": message.data["execId"], "response": response}

    worker.answers["startAlgorithmExecution"] = answer
    given = run(worker, storage, "start_algorithm", "adds", [[1, 2], {"a": "b"}])
    assert given == ["returned", {"sum": 3}]
    keys = [text.removeprefix("$$") for text in received["storageInput"]]
    assert [len(key) for key in keys] == [8, 8]
    assert "input" not in received and set(received["storage"]) == set(keys)
    paths = [received["storage"][key]["storageInfo"]["path"] for key in keys]
    assert paths == [f"local-hkube/main:p19pa1nk/{key}" for key in keys]
    assert [storage.get(path) for path in paths] == [[1, 2], {"a": "b"}]


FUTURE = """
def start(args, api):
    future = api.start_stored_subpipeline("sub", {}, blocking=False)
    return future.result(20)
"""


@pytest.mark.parametrize("code", ["calls", {"main.py": FUTURE}])
def test_subpipeline_results_are_read(serve: Serve, storage: FolderStorage, code: Any) -> None:
    worker, _ = serve(code, env=storage.environment)
    large = storage.put(list(range(1000)))
    nodes = [
        {"nodeName": "a", "algorithmName": "x", "result": 1},
        {"nodeName": "b", "algorithmName": "y", "info": {**large, "isBigData": True}},
    ]
    whole = storage.put(nodes, "local-hkube-results/job/result.json")

    def answer(message: Message) -> tuple[str, Any]:
        assert isinstance(message.data, dict)
        response = {"storageInfo": {"path": whole["path"]}}
        return "subPipelineDone", {**message.data, "response": response}

    worker.answers["startStoredSubPipeline"] = answer
    given = run(worker, storage, "start_stored_subpipeline", "sub", {})
    expected = [nodes[0], {"nodeName": "b", "algorithmName": "y", "result": list(range(1000))}]
    assert given in (expected, ["returned", expected])


def test_unreadable_answer_raises_in_user_code(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("calls", env=storage.environment)
    response = {"storageInfo": {"path": "local-hkube/gone/x"}}
    worker.answers["startStoredSubPipeline"] = lambda message: (
        "subPipelineDone",
        {**message.data, "response": response},
    )
    kind, text, _ = run(worker, storage, "start_stored_subpipeline", "sub", {})
    assert kind == "StorageError"
    assert text.startswith(
        "the answer cannot be read from local-hkube/gone/x: the file does not exist"
    )


# --- failures: one sentence each, and the next task runs ------------------------------------------


def test_invalid_references(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("one_argument", env=storage.environment)
    assert fail(worker, {"a": "$$x"}) == (
        "input.0.a refers to $$x, but HKube sent no link with the key 'x'"
    )
    gone = {"path": "local-hkube/j/gone", "size": 3}
    assert fail(worker, ["$$x"], x=gone).startswith(
        "input.0.0 (the link 'x') cannot be read from local-hkube/j/gone: the file does not exist"
    )
    assert "input.0[1] (the link 'x')" in fail(worker, "$$x", x=[storage.put(1), gone])
    for path in ("../../etc/passwd", "local-hkube/../../../etc/passwd", "/etc/passwd", "s3://b/k"):
        assert "its path" in fail(worker, "$$x", x={"path": path, "size": 1})
    assert "neither a storage path" in fail(worker, "$$x", x={})
    assert run(worker, storage, "$$k", k=storage.put(5)) == 5


def test_symlink_cannot_leave_the_folder(
    serve: Serve, storage: FolderStorage, tmp_path: Path
) -> None:
    worker, _ = serve("one_argument", env=storage.environment)
    (tmp_path / "secret").write_bytes(b"secret")
    storage.put(1, "local-hkube/j/x")
    (storage.folder / "local-hkube/j/way-out").symlink_to(tmp_path)
    path = "local-hkube/j/way-out/secret"
    assert "leads out" in fail(worker, "$$x", x={"path": path, "size": 6})


def test_corrupt_objects(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("one_argument", env=storage.environment)

    def put(stored: bytes, size: int) -> dict[str, Any]:
        info = storage.put(0)
        (storage.folder / info["path"]).write_bytes(stored)
        return {**info, "size": size}

    head, payload = encoded({"a": "some text"}, "msgpack")
    assert "incomplete: 6 of 13 bytes" in fail(
        worker, "$$x", x=put(head + payload[:6], len(payload))
    )
    assert "incomplete" in fail(worker, "$$x", x=put(b"", 9))
    assert "it is corrupt" in fail(worker, "$$x", x=put(head + b"\xc1" * 13, 13))
    assert run(worker, storage, "$$x", x=put(payload, len(payload))) == {"a": "some text"}
    assert run(worker, storage, "$$x", x=put(b"\xc1no header", 10)) == b"\xc1no header"


def test_unencodable_result(serve: Serve, storage: FolderStorage) -> None:
    worker, _ = serve("results", env=storage.environment)
    error = worker.fail(**stored_job("set"))
    assert error["code"] == "EncodingError"
    assert "result.items[3]" in error["message"]
    assert run(worker, storage, "zero") == 0


def test_storage_that_comes_back(serve: Serve, storage: FolderStorage) -> None:
    env = {**storage.environment, "STORAGE_RETRY_TIMEOUT": "20"}
    worker, wrapper = serve("one_argument", env=env)
    given = storage.put([7])
    away = storage.folder.with_name("away")
    storage.folder.rename(away)
    worker.initialize(**stored_job("$$k", k=given))
    worker.expect("initialized")
    worker.send("start", {})
    wrapper.wait_for_log("retrying")
    away.rename(storage.folder)
    assert result(storage, worker.wait_for("storing")) == [7]


def test_storage_that_stays_unavailable(serve: Serve, storage: FolderStorage) -> None:
    env = {**storage.environment, "STORAGE_RETRY_TIMEOUT": "0.5"}
    worker, _ = serve("one_argument", env=env)
    given = storage.put([7])
    away = storage.folder.with_name("away")
    storage.folder.rename(away)
    assert "the storage folder does not exist" in fail(worker, "$$k", k=given)
    storage.folder.write_text("a file, where the folder should be")
    message = fail(worker, 1)
    assert message.startswith("the result (1 bytes) cannot be stored at local-hkube/")
    storage.folder.unlink()
    away.rename(storage.folder)
    assert run(worker, storage, "$$k", k=given) == [7]


@pytest.mark.parametrize("count", [1, 20])
def test_stop_ends_the_wait_for_the_storage(
    serve: Serve, storage: FolderStorage, count: int
) -> None:
    worker, wrapper = serve("one_argument", env=storage.environment)
    given = storage.put([7])
    batch = [{"storageInfo": storage.put(number)} for number in range(count)]
    away = storage.folder.with_name("away")
    storage.folder.rename(away)
    worker.initialize(**stored_job("$$k", k=batch))
    worker.expect("initialized")
    worker.send("start", {})
    worker.expect("started")
    wrapper.wait_for_log("retrying")
    worker.send("stop", {"forceStop": True})
    worker.expect("stopped", timeout=3)
    assert "killing" not in wrapper.stderr
    away.rename(storage.folder)
    assert run(worker, storage, "$$k", k=given) == [7]


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 1 MB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    made = subprocess.run(command, check=False, capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no file system can be made here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_full_disk(serve: Serve, storage: FolderStorage) -> None:
    with small_disk(storage.folder):
        code = "def start(args, api):\n    return bytes(args['input'][0])\n"
        worker, _ = serve({"main.py": code}, env=storage.environment)
        message = fail(worker, 5_000_000)
        assert "(5,000,000 bytes)" in message and "no space is left" in message
        assert storage.names() == []  # no partial file is left
        assert run(worker, storage, 1000) == bytes(1000)
