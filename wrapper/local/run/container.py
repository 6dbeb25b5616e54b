"""What a container of the algorithm would run, as a process of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import final

from ...text.exit_codes import exit_code_of_signal
from ..source.source import AlgorithmSource
from ..worker.admission import run_token
from ..worker.storage import LocalStorage
from ..worker.waiting import wait_done
from .memory import own_peak, peak_of

STDERR = 2

# By its path, because the user's folder may hold a `wrapper.py` that `-m wrapper` would find.
_LAUNCH = Path(__file__).resolve().parents[3] / "hkube_python_wrapper" / "_launch.py"

# Seconds to wait after a SIGTERM; the second one makes the supervisor end everything at once.
_FIRST_SIGTERM = 0.5
_SECOND_SIGTERM = 2.0


@final
class AlgorithmContainer:
    """The supervisor and its algorithm process, as a container would run them.

    A context manager: the process runs inside, in a process group of its own, and is gone
    afterwards. Its output goes to this process's stderr, unless told otherwise.
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
            storage: of mode v3.
        """
        self._scratch = tempfile.TemporaryDirectory(prefix="hkube-")
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
                [sys.executable, str(_LAUNCH)],
                cwd=self._folder,  # as in the image, nothing of where the command is given is there
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                start_new_session=True,  # Ctrl-C is for the worker, which then stops the task
            )
            arguments = (self._process, own_peak())
            threading.Thread(target=self._await_end, args=arguments, daemon=True).start()
        except BaseException:  # this machine has no room for it
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
        """Wait for the end.

        Args:
            timeout: seconds, or None to wait for ever.

        Returns:
            The exit code as a shell has it, 128 + n for signal n; None if it still runs.
        """
        return self._ended.result() if wait_done(self._ended, timeout) else None

    def on_exit(self, call: Callable[[int], None]) -> None:
        """Call a function, in a thread, with the exit code once the process has ended."""
        threading.Thread(target=lambda: call(self.wait() or 0), daemon=True).start()

    def end(self) -> None:
        """End the process and all that it started, in two seconds or so."""
        for patience in (_FIRST_SIGTERM, _SECOND_SIGTERM):
            if self.wait(timeout=0) is not None:
                return
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGTERM)
            self.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        self.wait()

    @property
    def memory(self) -> int | None:
        """The most memory, in bytes, that one of the processes took.

        None: not known, or it has not ended yet.
        """
        return self._memory

    @property
    def _pid(self) -> int:
        assert self._process is not None, "the container was not started"
        return self._process.pid

    def _await_end(self, process: subprocess.Popen[bytes], peak_before: int) -> None:
        """Alone wait for the process: Popen would not tell what it and those below it took."""
        try:
            _, status, usage = os.wait4(process.pid, 0)
            code = os.waitstatus_to_exitcode(status)
            self._memory = peak_of(usage, peak_before)
        except ChildProcessError:  # somebody else in this program has waited for all children
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
        source: the algorithm; its own variables go before those of `environ`.
        port: the worker's TCP port.
        environ: the environment to start from; what the worker decides is replaced in it.
        scratch: folder for what the algorithm leaves beside its result.
        storage: of mode v3.
    """
    replaced = {"WORKER_SOCKET_URL", "WORKER_SOCKET_PROTOCOL", "DEV_MODE"}
    return (
        {
            "HKUBE_LOG_LEVEL": "warning",
            "HKUBE_LOG_FORMAT": "short",
            "HKUBE_LOG_FAILURES": "false",
            "ALGO_METRICS_DIR": str(scratch / "metrics"),
        }
        | {name: value for name, value in environ.items() if name not in replaced}
        | dict(source.environ)
        | {
            "WORKER_SOCKET_HOST": "127.0.0.1",
            "WORKER_SOCKET_PORT": str(port),
            "WORKER_SOCKET_TOKEN": run_token(),
            "WORKER_RECONNECT_TIMEOUT": "5",
            "ALGORITHM_PATH": str(source.folder),
            "ALGORITHM_ENTRY_POINT": source.entry_point,
        }
        | ({"STORAGE_PROTOCOL": "v1"} if storage is None else storage.environ)
    )
