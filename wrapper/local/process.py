"""What a container of the algorithm would run, as a process of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

PACKAGE = __name__.split(".")[0]
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
STDERR = 2

# Seconds to wait after a SIGTERM; the second one makes the supervisor end everything at once.
_FIRST_SIGTERM = 0.5
_SECOND_SIGTERM = 2.0


@dataclass(frozen=True)
class Entry:
    """Where an algorithm is: its folder and the file in it that holds `start`."""

    folder: Path
    file: str


class EntryError(ValueError):
    """A path is not an algorithm; the text says what is there instead."""


def find_entry(path: Path) -> Entry:
    """Return the algorithm at a path: a Python file, or a folder with a main.py.

    Raises:
        EntryError: there is none.
    """
    if path.is_dir():
        if not (path / "main.py").is_file():
            raise EntryError(f"{path} has no main.py; give the file that holds `start`")
        return Entry(path.resolve(), "main.py")
    if not path.exists():
        raise EntryError(f"{path} does not exist")
    if path.suffix != ".py":
        raise EntryError(f"{path} is neither a folder nor a .py file")
    return Entry(path.resolve().parent, path.name)


@final
class AlgorithmContainer:
    """The supervisor and its algorithm process, as a container would run them.

    A context manager: the process runs inside, in a process group of its own, and is gone
    afterwards. Its output goes to this process's stderr.
    """

    def __init__(self, entry: Entry, port: int, environ: Mapping[str, str]) -> None:
        """Prepare a container.

        Args:
            entry: the algorithm.
            port: the worker's TCP port on 127.0.0.1.
            environ: the environment to start from.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="hkube-")
        self._environ = container_environ(entry, port, environ, Path(self._scratch.name))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> AlgorithmContainer:
        self._process = subprocess.Popen(
            [sys.executable, "-m", PACKAGE],
            cwd=_working_directory(self._scratch.name),
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=STDERR,
            start_new_session=True,  # Ctrl-C is for the worker, which then stops the task
        )
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()
        self._scratch.cleanup()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end.

        Args:
            timeout: seconds, or None to wait for ever.

        Returns:
            The exit code as a shell has it, 128 + n for signal n; None if it still runs.
        """
        try:
            code = self._running.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def on_exit(self, call: Callable[[int], None]) -> None:
        """Call a function, in a thread, with the exit code once the process has ended."""
        threading.Thread(target=lambda: call(self.wait() or 0), daemon=True).start()

    def end(self) -> None:
        """End the process and all that it started, in two seconds or so."""
        for patience in (_FIRST_SIGTERM, _SECOND_SIGTERM):
            if self.wait(timeout=0) is not None:
                return
            self._running.terminate()
            self.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self._running.pid, signal.SIGKILL)
        self.wait()

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the container was not started"
        return self._process


def container_environ(
    entry: Entry, port: int, environ: Mapping[str, str], scratch: Path
) -> dict[str, str]:
    """Return the environment of the container's process.

    Args:
        entry: the algorithm.
        port: the worker's TCP port.
        environ: the environment to start from; what the worker decides is replaced in it.
        scratch: folder for what the algorithm leaves beside its result.
    """
    replaced = {"WORKER_SOCKET_URL", "WORKER_SOCKET_PROTOCOL", "STORAGE_PROTOCOL", "DEV_MODE"}
    return (
        {"HKUBE_LOG_LEVEL": "warning", "ALGO_METRICS_DIR": str(scratch / "metrics")}
        | {name: value for name, value in environ.items() if name not in replaced}
        | {
            "WORKER_SOCKET_HOST": "127.0.0.1",
            "WORKER_SOCKET_PORT": str(port),
            "WORKER_RECONNECT_TIMEOUT": "5",
            "ALGORITHM_PATH": str(entry.folder),
            "ALGORITHM_ENTRY_POINT": entry.file,
        }
    )


def _working_directory(scratch: str) -> str:
    """Return a folder from which `python -m` finds this package and nothing of the user's."""
    installed = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return scratch if PACKAGE_ROOT in installed else str(PACKAGE_ROOT)
