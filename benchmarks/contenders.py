"""Starts what is measured, as its user would, and connects it to a bare server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .processes import family
from .server import Listener, Peer

HERE = Path(__file__).resolve().parent
NAMES = ("floor", "wrapper")
PUBLISHED = "published"
# The interop tests install HKube's published Python wrapper there.
PUBLISHED_PYTHON = HERE.parent / ".venv-published" / "bin" / "python"
_RUN_PUBLISHED = "from hkube_python_wrapper import Algorunner; Algorunner.Run()"
CONNECTS_WITHIN = 30.0  # seconds
ENDS_WITHIN = 10.0  # seconds


class Contender:
    """A running floor or wrapper, and the server's end of its connection.

    Attributes:
        peer: what it is connected to.
        connected_after: seconds from just before its process was made to its handshake's end.
    """

    def __init__(
        self,
        name: str,
        algorithm: str,
        folder: Path,
        settings: Mapping[str, str],
        listens_after: float | None,
    ) -> None:
        listener = Listener()
        if listens_after is None:
            listener.listen()
        command, environment = recipe(name, algorithm, folder, listener.port)
        environment |= settings
        self._log = (folder / "stderr.log").open("w+")
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stderr=self._log, start_new_session=True
        )
        if listens_after is not None:
            time.sleep(max(0.0, self.begun + listens_after - time.perf_counter()))
            listener.listen()
        try:
            self.peer: Peer = self._accept(listener)
        except (OSError, ValueError) as error:
            self.kill()
            raise RuntimeError(f"the {name} did not connect:\n{self.log_text()}") from error
        finally:
            listener.close()
        self.connected_after = time.perf_counter() - self.begun

    def pids(self) -> list[int]:
        """Its processes."""
        return family(self.process.pid)

    def log_text(self) -> str:
        """Its stderr so far."""
        self._log.seek(0)
        return self._log.read()

    def kill(self) -> None:
        """End all its processes."""
        pids = self.pids() if self.process.poll() is None else []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(ENDS_WITHIN)

    def _accept(self, listener: Listener) -> Peer:
        while True:
            try:
                return listener.accept(timeout=0.5)
            except TimeoutError:
                gone = self.process.poll() is not None
                if gone or time.perf_counter() - self.begun > CONNECTS_WITHIN:
                    raise


@contextlib.contextmanager
def running(
    name: str,
    algorithm: str,
    settings: Mapping[str, str] | None = None,
    listens_after: float | None = None,
) -> Iterator[Contender]:
    """Run one contender with one of benchmarks/algorithms; end it when the block ends.

    Args:
        settings: environment variables besides those that each has.
        listens_after: seconds from before the process is made until the server listens; None: it
            listens before.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        contender = Contender(name, algorithm, Path(folder), settings or {}, listens_after)
        try:
            yield contender
        except (OSError, ValueError):
            print(f"the {name} wrote:\n{contender.log_text()}", file=sys.stderr)
            raise
        finally:
            contender.kill()
            contender.peer.close()


@contextlib.contextmanager
def both(algorithm: str) -> Iterator[dict[str, Contender]]:
    """Run the floor and the wrapper at the same time."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(running(name, algorithm)) for name in NAMES}


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Pin this process, and processes started in the block, to one CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def recipe(name: str, algorithm: str, folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command line and environment that start it in `folder`."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    environment = {key: os.environ[key] for key in kept if key in os.environ}
    if name == "floor":
        return [sys.executable, str(HERE / "floor.py"), str(port), algorithm], environment
    if name == PUBLISHED:
        (folder / "algorithm_unique_folder").mkdir()
        shutil.copy(
            HERE / "algorithms" / f"{algorithm}.py", folder / "algorithm_unique_folder" / "main.py"
        )
        environment |= {
            "WORKER_SOCKET_PORT": str(port),
            "WORKER_ALGORITHM_ENCODING": "json",
        }
        return [str(PUBLISHED_PYTHON), "-c", _RUN_PUBLISHED], environment
    shutil.copy(HERE / "algorithms" / f"{algorithm}.py", folder / "main.py")
    environment |= {
        "PYTHONPATH": str(HERE.parent),
        "WORKER_SOCKET_HOST": "127.0.0.1",
        "WORKER_SOCKET_PORT": str(port),
        "WORKER_FIRST_INITIALIZED_DELAY": "0",  # a wait, not a cost
    }
    return [sys.executable, "-m", "wrapper"], environment
