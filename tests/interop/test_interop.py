"""The wrapper reads what HKube's own packages write, and the reverse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Serve
from tests.e2e.harness.storage import run_stored, stored_job
from tests.free_ports import free_port
from tests.s3_server import KEY, SECRET, S3Server

from .conftest import NewPeer, to_wire

JOB = "main:p19pa1nk"
VALUES: dict[str, Any] = {
    "encoded": {"a": [1, 2.5, "☃", None, True, -7, 2**31], "b": {"c": []}, "": ""},
    "raw": bytes(range(256)) * 100,
}


def environment(storage: str, encoding: str, folder: Path, s3: S3Server) -> dict[str, str | None]:
    return {
        "DEFAULT_STORAGE": storage,
        "STORAGE_ENCODING": encoding,
        "DISCOVERY_ENCODING": encoding,
        "BASE_FS_ADAPTER_DIRECTORY": str(folder / "storage"),
        "S3_ENDPOINT_URL": s3.url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "DISCOVERY_PORT": str(free_port()),
        "DISCOVERY_ENABLE": "false",
    }


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
@pytest.mark.parametrize("storage", ["fs", "s3"])
def test_stored_values(
    serve: Serve,
    new_peer: NewPeer,
    s3: S3Server,
    tmp_path: Path,
    storage: str,
    encoding: str,
    kind: str,
) -> None:
    value, peer = VALUES[kind], new_peer(storage, encoding)
    task = f"theirs-{storage}-{encoding}-{kind}"
    path = peer.ask("pathOfTask", jobId=JOB, taskId=task)
    info = peer.ask("put", path=path, value=to_wire(value))
    assert peer.ask("get", path=path) == value
    worker, _ = serve("one_argument", env=environment(storage, encoding, tmp_path, s3))
    ours = f"ours-{storage}-{encoding}-{kind}"
    storing = run_stored(worker, {**stored_job("$$k", k=info), "taskId": ours})
    assert isinstance(storing.data, dict)
    assert storing.data["storageInfo"] == {
        "path": peer.ask("pathOfTask", jobId=JOB, taskId=ours),
        "size": info["size"],
    }
    assert peer.ask("get", path=storing.data["storageInfo"]["path"]) == value


@pytest.mark.parametrize("storage", ["fs", "s3"])
def test_our_references_as_their_input(
    serve: Serve, new_peer: NewPeer, s3: S3Server, tmp_path: Path, storage: str
) -> None:
    peer = new_peer(storage, "msgpack")
    worker, _ = serve("one_argument", env=environment(storage, "msgpack", tmp_path, s3))
    storing = run_stored(worker, stored_job({"data": {"x": [1, {"y": "deep"}]}}))
    assert isinstance(storing.data, dict)
    link = {"storageInfo": storing.data["storageInfo"]}
    job = stored_job("$$a", {"b": "$$b"}, "$$c", a=link, b={**link, "path": "data.x.1.y"}, c=[link])
    whole = {"data": {"x": [1, {"y": "deep"}]}}
    assert peer.ask("getData", job={**job, "jobId": JOB}) == [whole, {"b": "deep"}, [whole]]


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_they_read_from_our_memory(
    serve: Serve, new_peer: NewPeer, s3: S3Server, tmp_path: Path, encoding: str, kind: str
) -> None:
    env = {**environment("fs", encoding, tmp_path, s3), "DISCOVERY_ENABLE": "true"}
    worker, _ = serve({"main.py": TWO_KINDS}, env=env)
    links = []
    for number in range(2):
        storing = run_stored(worker, {**stored_job(kind), "taskId": f"t{number}"})
        assert isinstance(storing.data, dict)
        (tmp_path / "storage" / storing.data["storageInfo"]["path"]).unlink()
        links.append({k: storing.data[k] for k in ("storageInfo", "discovery", "taskId")})
    peer = new_peer("fs", encoding)
    both = {"discovery": links[0]["discovery"], "tasks": ["t0", "t1"]}
    job = stored_job("$$a", "$$b", a=links[0], b=[both])
    value = VALUES[kind]
    assert peer.ask("getData", job={**job, "jobId": JOB}) == [value, [value, value]]


TWO_KINDS = f"""
import json

def start(args, api):
    if args["input"][0] == "raw":
        return bytes(range(256)) * 100
    return json.loads({json.dumps(json.dumps(VALUES["encoded"]))})
"""


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_we_read_from_their_memory(
    serve: Serve, new_peer: NewPeer, s3: S3Server, tmp_path: Path, encoding: str, kind: str
) -> None:
    value, peer, port = VALUES[kind], new_peer("fs", encoding), free_port()
    peer.ask("serve", port=port, maxCacheSize=10)
    for number in range(2):
        assert peer.ask("hold", taskId=f"t{number}", value=to_wire(value)) is True
    discovery = {"host": "127.0.0.1", "port": port}
    info = {"path": f"local-hkube/{JOB}/t0", "size": 1}
    one = {"storageInfo": info, "discovery": discovery, "taskId": "t0"}
    both = {"discovery": discovery, "tasks": ["t0", "t1"]}
    worker, _ = serve("echo", env=environment("fs", encoding, tmp_path, s3))
    # The results are only in memory, not in the storage.
    ours = run_stored(worker, {**stored_job("$$a", "$$b", a=one, b=[both]), "taskId": "ours"})
    assert isinstance(ours.data, dict)
    # A result that the peer does not hold is read from the storage.
    stored = peer.ask("put", path=f"local-hkube/{JOB}/t2", value="stored")
    fallback = {"storageInfo": stored, "discovery": discovery, "taskId": "t2"}
    run_stored(worker, {**stored_job("$$a", a=fallback), "taskId": "fallback"})
    assert peer.ask("get", path=f"local-hkube/{JOB}/fallback") == ["stored"]
    lengths = run_lengths(peer.ask("get", path=ours.data["storageInfo"]["path"]))
    assert lengths == run_lengths([value, [value, value]])


def run_lengths(value: Any) -> Any:
    """Replace bytes by their length, because each encoding returns nested bytes differently."""
    if isinstance(value, bytes):
        return len(value)
    return [run_lengths(item) for item in value] if isinstance(value, list) else value
