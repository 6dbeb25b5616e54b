"""Runs on this machine, as a process, what a container of the algorithm would run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, final

from ...text.exit_codes import exit_code_of_signal
from ..scratch import ScratchFolder
from ..worker.admission import run_token
from ..worker.waiting import wait_done
from .memory import own_peak, peak_of
from .usage import ResourceUsage, usage_of

if TYPE_CHECKING:
    from ..source.source import AlgorithmSource
    from ..worker.storage import LocalStorage

STDERR = 2

# By its path, because the user's folder may hold a `wrapper.py` that `-m wrapper` would find.
_LAUNCH = Path(__file__).resolve().parents[3] / "hkube_python_wrapper" / "_launch.py"

# Seconds to wait after a SIGTERM; the second one makes the supervisor end everything at once.
_FIRST_SIGTERM = 0.5
_SECOND_SIGTERM = 2.0


@final
class AlgorithmContainer:
    """The supervisor and its algorithm process, as a container would run them.

    A context manager: it starts the process in a separate process group, and ends it. The output
    goes to this process's stderr by default.
    """

    def __init__(
        self,
        source: AlgorithmSource,
        port: int,
        environ: Mapping[str, str],
        output: int = STDERR,
        storage: LocalStorage | None = None,
    ) -> None:
        """Prepare a container.

        Args:
            source: the algorithm.
            port: the worker's TCP port on 127.0.0.1.
            environ: the environment to start from.
            output: file descriptor that the container's stdout and stderr go to.
            storage: the storage of mode v3; None for mode v1.
        """
        self._scratch = ScratchFolder()
        scratch = Path(self._scratch.name)
        self._environ = container_environ(source, port, environ, scratch, storage)
        self._folder = source.folder
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: Future[int] = Future()
        self._memory: int | None = None

    def __enter__(self) -> AlgorithmContainer:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(_LAUNCH)],
                cwd=self._folder,  # as in the image, and not where the command was typed
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,  # Ctrl-C goes to the worker only, which then stops the task
            )
            arguments = (self._process, own_peak())
            threading.Thread(target=self._await_end, args=arguments, daemon=True).start()
        except BaseException:  # for example, too many processes
            if self._process is not None:
                self._process.kill()
                self._process.wait()
            self._scratch.cleanup()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()
        self._scratch.cleanup()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait until the process ends.

        Args:
            timeout: seconds, or None to wait for ever.

        Returns:
            The exit code as in a shell, 128 + n for signal n; None if the process still runs.
        """
        return self._ended.result() if wait_done(self._ended, timeout) else None

    def on_exit(self, call: Callable[[int], None]) -> None:
        """Call a function from a thread once the process has ended, with its exit code."""
        threading.Thread(target=lambda: call(self.wait() or 0), daemon=True).start()

    def usage(self) -> ResourceUsage:
        """Return what its processes use now."""
        return ResourceUsage(0.0, 0) if self._ended.done() else usage_of(self.pid)

    def end(self) -> None:
        """End the process and everything it started, within about two seconds."""
        for timeout in (_FIRST_SIGTERM, _SECOND_SIGTERM):
            if self.wait(timeout=0) is not None:
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            self.wait(timeout)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    @property
    def memory(self) -> int | None:
        """The peak memory, in bytes, of the largest process.

        None: it is not known, or the process has not ended yet.
        """
        return self._memory

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None, "the container was not started"
        return self._process.pid

    def _await_end(self, process: subprocess.Popen[bytes], peak_before: int) -> None:
        """Wait for the process with `wait4`: Popen would not report its memory use."""
        try:
            _, status, usage = os.wait4(process.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self._memory = peak_of(usage, peak_before)
        except ChildProcessError:  # other code in this program has waited for all children
            code = 0
        process.returncode = code
        self._ended.set_result(code if code >= 0 else exit_code_of_signal(-code))


def container_environ(
    source: AlgorithmSource,
    port: int,
    environ: Mapping[str, str],
    scratch: Path,
    storage: LocalStorage | None = None,
) -> dict[str, str]:
    """Return the environment of the container's process.

    Args:
        source: the algorithm; its variables override those of `environ`.
        port: the worker's TCP port.
        environ: the environment to start from; variables that the worker sets are replaced.
        scratch: folder for files that the algorithm leaves behind.
        storage: the storage of mode v3; None for mode v1.
    """
    replaced = {"WORKER_SOCKET_URL", "DEV_MODE"}
    return (
        {
            "HKUBE_LOG_LEVEL": "warning",
            "HKUBE_LOG_FORMAT": "short",
            "HKUBE_LOG_FAILURES": "false",
            "ALGO_METRICS_DIR": str(scratch / "metrics"),
            "HKUBE_METRICS_FILES": "keep",
        }
        | _peer_memory(source)
        | {name: value for name, value in environ.items() if name not in replaced}
        | dict(source.environ)
        | {
            "WORKER_ALGORITHM_PROTOCOL": "ws",
            "WORKER_SOCKET_PROTOCOL": "ws",
            "WORKER_SOCKET_HOST": "127.0.0.1",
            "WORKER_SOCKET_PORT": str(port),
            "WORKER_SOCKET_TOKEN": run_token(),
            "WORKER_RECONNECT_TIMEOUT": "5",
            "WORKER_FIRST_INITIALIZED_DELAY": "0",  # only HKube's worker needs it
            "ALGORITHM_PATH": str(source.folder),
            "ALGORITHM_ENTRY_POINT": source.entry_point,
        }
        | ({"STORAGE_PROTOCOL": "v1"} if storage is None else storage.environ)
    )


def _peer_memory(source: AlgorithmSource) -> dict[str, str]:
    """Return the memory for results that peers read: in HKube it follows from reservedMemory."""
    if source.peer_memory is None:
        return {}
    return {"DISCOVERY_MAX_CACHE_SIZE": str(max(1, source.peer_memory // 1024**2))}
