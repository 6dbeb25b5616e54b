"""The wrapper as a real process: its folder, environment, output, end, and descendants."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parents[3]
ALGORITHMS = REPOSITORY / "tests" / "algorithms"
MARK = "HKUBE_E2E_MARK"  # every process that the wrapper starts inherits it
OURS = (
    "HKUBE_",
    "WORKER_",
    "ALGORITHM_",
    "ALGO_",
    "STORAGE_",
    "DISCOVERY_",
    "STREAMING_",
    "AWS_",
    "S3_",
    "BASE_FS_",
)
OURS_WHOLE = (
    "DEV_MODE",
    "REDIRECT_LOGS",
    "TERMINATION_LOG",
    "DEFAULT_STORAGE",
    "CLUSTER_NAME",
    "POD_IP",
)
END_WAIT = 15.0  # seconds; even an immediate end can take this long on a busy machine


def install(algorithm: str | Mapping[str, str], folder: Path) -> None:
    """Copy a user's algorithm into a folder.

    Args:
        algorithm: the name of a module of tests/algorithms (it becomes main.py), of a folder there
            (its files are copied), or the files themselves: name → text.
        folder: where to; it is made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(algorithm, str):
        for name, text in algorithm.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    elif (ALGORITHMS / algorithm).is_dir():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ALGORITHMS / algorithm, folder, dirs_exist_ok=True, ignore=ignored)
    else:
        file = ALGORITHMS / f"{algorithm}.py"
        shutil.copy(file if file.exists() else file.with_suffix(".py.txt"), folder / "main.py")


class WrapperProcess:
    """One run of the wrapper.

    Args:
        folder: a folder of its own; the process works in `folder/work`.
        port: the scripted worker's port.
        environment: settings above those that every test has; None takes a setting away.
        arguments: what follows the interpreter on the command line.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        environment: Mapping[str, str | None],
        arguments: Sequence[str] = ("-m", "wrapper"),
    ) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self.termination_log = folder / "termination-log"
        self.termination_log.touch()
        self.may_fail = False  # in its own code: the test is about that
        self.mark = uuid.uuid4().hex
        self.environment = self._environment(port, environment)
        self._stdout = folder / "stdout.txt"
        self._stderr = folder / "stderr.txt"
        self.started = time.monotonic()
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=self.work,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def _environment(self, port: int, changes: Mapping[str, str | None]) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(OURS) and name not in OURS_WHOLE
        }
        paths = [str(REPOSITORY), os.environ.get("PYTHONPATH", "")]
        settings: dict[str, str | None] = {
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "WORKER_SOCKET_PORT": str(port),
            "WORKER_FIRST_INITIALIZED_DELAY": "0",  # this worker has no race to avoid
            "TERMINATION_LOG": str(self.termination_log),
            "ALGO_METRICS_DIR": str(self.folder / "metrics"),
            MARK: self.mark,
            **changes,
        }
        kept.update({name: value for name, value in settings.items() if value is not None})
        return kept

    # --- output -------------------------------------------------------------------------------

    @property
    def stdout(self) -> str:
        """Its standard output so far."""
        return self._stdout.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """Its standard error so far."""
        return self._stderr.read_text(errors="replace")

    @property
    def termination_text(self) -> str:
        """The contents of the termination log."""
        return self.termination_log.read_text(errors="replace")

    def wait_until(self, is_true: Callable[[], bool], what: str, timeout: float = END_WAIT) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + timeout
        while not is_true():
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} within {timeout:.0f} s\n{self.story()}")
            time.sleep(0.02)

    def wait_for_log(self, text: str, timeout: float = END_WAIT) -> None:
        """Wait until standard error contains a text."""
        self.wait_until(lambda: text in self.stderr, f"{text!r} on stderr", timeout)

    def wait_for_file(self, name: str, timeout: float = END_WAIT) -> str:
        """Wait until the user's code has written a file in its folder; return its text."""
        path = self.work / name
        self.wait_until(lambda: path.exists() and bool(path.read_text()), f"file {name}", timeout)
        return path.read_text()

    # --- processes ----------------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether the wrapper's process is running."""
        return self._process.poll() is None

    def wait(self, timeout: float = END_WAIT) -> int:
        """Wait for the wrapper's end; return its exit code (-n: killed by signal n)."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout:.0f} s\n{self.story()}") from None

    def signal(self, number: int) -> None:
        """Send a signal to the wrapper's process."""
        self._process.send_signal(number)

    def children(self) -> list[psutil.Process]:
        """The wrapper's direct children: the algorithm process, if it is running."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(psutil.Process(self.pid).children())
        return []

    def algorithm(self) -> psutil.Process:
        """The algorithm process."""
        self.wait_until(lambda: len(self.children()) == 1, "algorithm process")
        return self.children()[0]

    def survivors(self) -> list[psutil.Process]:
        """All running processes that this run started, whoever their parent is now."""
        return [process for process in psutil.process_iter() if self._is_mine(process)]

    def _is_mine(self, process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error, OSError):
            return bool(
                process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(MARK) == self.mark
            )
        return False

    # --- the end ------------------------------------------------------------------------------

    def finish(self) -> list[str]:
        """End the run, gently first; return what was wrong with its end."""
        faults = []
        if self.is_running:
            faults += self._terminate()
        deadline = time.monotonic() + 2
        while self.survivors() and time.monotonic() < deadline:
            time.sleep(0.02)
        for process in self.survivors():
            with contextlib.suppress(psutil.Error):
                faults.append(f"survived the wrapper: {process.pid} {process.cmdline()}")
                process.kill()
        return faults + self._own_faults()

    def _terminate(self) -> list[str]:
        for patience in (4.0, END_WAIT):
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                return []
        self._process.kill()
        self._process.wait()
        return ["the wrapper did not end at a second SIGTERM"]

    def _own_faults(self) -> list[str]:
        faults = []
        if self._process.returncode == 70 and not self.may_fail:
            faults.append("exit code 70: a fault of the wrapper itself")
        blocks = self.stderr.split("Traceback (most recent call last)")[1:]
        faults += [
            f"a traceback with the wrapper's frames on stderr:{block[:1500]}"
            for block in blocks
            if f"{REPOSITORY / 'wrapper'}{os.sep}" in block
        ]
        return faults

    def story(self) -> str:
        """Describe the process's state and output, for the message of a failing test."""
        state = "running" if self.is_running else f"exit code {self._process.returncode}"
        return (
            f"--- wrapper {self.pid}: {state}\n--- stderr\n{self.stderr[-4000:]}"
            f"\n--- stdout\n{self.stdout[-2000:]}"
        )


def json_lines(text: str) -> list[dict[str, object]]:
    """Parse lines of JSON, each of which must be an object."""
    records = [json.loads(line) for line in text.splitlines()]
    assert all(isinstance(record, dict) for record in records)
    return records
