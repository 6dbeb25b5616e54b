"""Fixtures of the container tests: an engine, the image, and a worker with a container."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest

from tests.e2e.harness.process import install
from tests.e2e.harness.worker import ScriptedWorker
from wrapper import __version__

from .engine import CODE, BuildError, Container, Engine, engine_from, world_readable

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "hkube/python-wrapper"
WANTED = os.environ.get("HKUBE_CONTAINER_TESTS", "")  # required, skip, or empty: run if possible
REQUIRED = WANTED == "required"


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder to mount into containers, which any uid can enter."""
    with tempfile.TemporaryDirectory(prefix="hkube-container-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def engine(scratch: Path) -> Engine:
    """The engine of this machine; without one, tests are skipped unless they are required."""
    if WANTED == "skip":
        pytest.skip("HKUBE_CONTAINER_TESTS=skip")
    found = engine_from(os.environ, scratch)
    if found is None:
        reason = "no container engine: docker or podman is needed"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    return found


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The image, built once per run even if the run has several processes."""
    run_id = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    path = Path(tempfile.gettempdir()) / f"hkube-image-{os.getuid()}.lock"
    with path.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read() == run_id:
            return IMAGE
        _build_image(engine)
        lock.truncate(0)
        lock.write(run_id)
    return IMAGE


def _build_image(engine: Engine) -> None:
    try:
        engine.build(ROOT, IMAGE, "--tag", f"{IMAGE}:{__version__}")
    except BuildError:
        if REQUIRED or engine.has(base_image()):
            raise
        pytest.skip(f"{base_image()} is not on this machine, and cannot be pulled")


def base_image() -> str:
    """The image's base, at the default version."""
    [version] = re.findall(r"ARG PYTHON_VERSION=(\S+)", (ROOT / "Dockerfile").read_text())
    return f"python:{version}-slim"


class Run(Protocol):
    """Starts a container that is removed after the test."""

    def __call__(
        self, *command: str, options: Sequence[str] = (), image: str = IMAGE
    ) -> Container: ...


@pytest.fixture
def run(engine: Engine, image: str, tmp_path: Path) -> Iterator[Run]:
    """See `Run`."""
    started: list[Container] = []

    def start(*command: str, options: Sequence[str] = (), image: str = image) -> Container:
        container = Container(engine, tmp_path, image, command, options)
        started.append(container)
        return container

    yield start
    for container in started:
        container.remove()


class Session(NamedTuple):
    """A worker, the container that serves it, and the algorithm's folder on this machine."""

    worker: ScriptedWorker
    container: Container
    code: Path


class Serve(Protocol):
    """Starts a container that serves a scripted worker in this process."""

    def __call__(
        self,
        algorithm: str | Mapping[str, str],
        *command: str,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        image: str = IMAGE,
        mounted: bool = True,
    ) -> Session: ...


@pytest.fixture
def serve(run: Run, scratch: Path) -> Iterator[Serve]:
    """See `Serve`. The container shares this machine's network; the code is mounted.

    `mounted=False`: the image has code of its own.
    """
    workers: list[ScriptedWorker] = []

    def start(
        algorithm: str | Mapping[str, str],
        *command: str,
        options: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        image: str = IMAGE,
        mounted: bool = True,
    ) -> Session:
        code = Path(tempfile.mkdtemp(dir=scratch))
        install(algorithm, code)
        world_readable(code)
        code.chmod(0o755)
        mount = ["--volume", f"{code}:{CODE}:ro"] if mounted else []
        worker = ScriptedWorker()
        workers.append(worker)
        settings = {"WORKER_SOCKET_PORT": str(worker.port), **(env or {})}
        container = run(
            *command,
            options=[
                *("--network", "host", *mount),
                *(f"--env={name}={value}" for name, value in settings.items()),
                *options,
            ],
            image=image,
        )
        worker.is_over = lambda: None if container.is_running else container.story()
        worker.wait_connected(timeout=30)
        return Session(worker, container, code)

    yield start
    for worker in workers:
        worker.close()


@pytest.fixture
def logs(scratch: Path) -> Path:
    """A folder that any uid can write, like an emptyDir of Kubernetes."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    folder.chmod(0o777)
    return folder
