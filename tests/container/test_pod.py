"""Two containers that share localhost: one has the worker, the other the algorithm."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import IMAGE, ROOT, Run
from .engine import CODE, Engine

POD = ROOT / "deploy" / "pod.yaml"
HELLO = ROOT / "examples" / "hello"


@pytest.fixture
def network(run: Run) -> list[str]:
    """Options for containers that share the network of a third one, as in a pod."""
    holder = run("sleep", "600")
    holder.wait_until(lambda: holder.execute("true", check=False).returncode == 0, "container")
    return ["--network", f"container:{holder.name}"]


def test_tasks_over_a_shared_localhost(run: Run, network: list[str]) -> None:
    inputs = [word for number in range(20) for word in ("--input", f'["{number}"]')]
    worker = run("worker", *inputs, options=network)
    worker.wait_until(lambda: "waiting for an algorithm" in worker.stderr, "worker")
    algorithm = run(options=[*network, "--volume", f"{HELLO}:{CODE}:ro"])

    assert worker.wait() == 0
    assert algorithm.wait() == 0
    results = [json.loads(line) for line in worker.stdout.splitlines()]
    assert results == [{"greeting": f"Hello, {number}!"} for number in range(20)]


def test_algorithm_may_start_first(run: Run, network: list[str]) -> None:
    algorithm = run(options=[*network, "--volume", f"{HELLO}:{CODE}:ro"])
    algorithm.wait_until(lambda: "nothing listens there" in algorithm.stdout, "waiting algorithm")
    worker = run("worker", "--input", '["late"]', options=network)

    assert worker.wait() == 0
    assert algorithm.wait() == 0
    assert worker.stdout == '{"greeting": "Hello, late!"}\n'


@pytest.fixture
def pod(engine: Engine, image: str, scratch: Path) -> Iterator[dict[str, Any]]:
    """The pod in deploy/pod.yaml, with its image built; removed after the test."""
    if not engine.is_podman:
        pytest.skip("only podman plays Kubernetes files")
    document: dict[str, Any] = yaml.safe_load(POD.read_text())
    context = Path(tempfile.mkdtemp(dir=scratch))
    shutil.copy(HELLO / "main.py", context)
    (context / "Dockerfile").write_text(f"FROM {image}\nCOPY . algorithm_unique_folder/\n")
    engine.build(context, document["spec"]["containers"][1]["image"])
    engine.call("play", "kube", "--network", "none", str(POD))
    yield document
    engine.call("play", "kube", "--down", str(POD), check=False)


def test_pod_in_deploy(engine: Engine, pod: dict[str, Any]) -> None:
    name = pod["metadata"]["name"]
    worker, algorithm = f"{name}-worker", f"{name}-algorunner"

    assert engine.call("wait", worker, algorithm).stdout.split() == ["0", "0"]
    assert engine.call("logs", worker).stdout.splitlines() == [
        '{"greeting": "Hello, first!"}',
        '{"greeting": "Hello, second!"}',
    ]
    log = engine.call("logs", algorithm)
    assert "connected to the worker" in log.stdout + log.stderr
    [state] = json.loads(engine.call("inspect", algorithm).stdout)
    assert state["HostConfig"]["ReadonlyRootfs"] is True
    assert not state["EffectiveCaps"]
    assert state["Image"] != json.loads(engine.call("image", "inspect", IMAGE).stdout)[0]["Id"]
