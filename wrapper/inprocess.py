"""`--in-process`: supervisor and algorithm in one process, for a debugger's breakpoints.

The same code on both sides of the same pipe; the supervisor runs in a thread. What only a
process of its own can give is missing: a C call that holds the GIL silences `alive`, and a
stuck algorithm cannot be killed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from .algorithm.serve import make_host
from .config import Config
from .errors import ConfigurationError
from .log import Log
from .supervisor.process import Channel, channel_pairs
from .supervisor.serve import EXIT_CONFIGURATION, EXIT_SOFTWARE, tell_problems
from .supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from .algorithm.loader import Algorithm


class LocalAlgorithm:
    """The algorithm side, in this process (see `process.Algorithm`)."""

    ends_with_its_pipe = True

    def __init__(self, channel: Channel, log: Log) -> None:
        self.channel = channel
        self._log = log

    def kill(self) -> None:
        """Not possible here."""
        self._log.debug("--in-process: the algorithm cannot be killed, it shares this process")

    def close(self) -> None:
        """It stays: there is no other to take its place."""

    def died_with(self, pid: int, status: int) -> bool:
        """Children are the user's own here."""
        return False

    def stacks(self, ask: bool) -> str:
        """The stacks of this moment, if asked for."""
        if not ask:
            return ""
        import faulthandler
        import tempfile

        with tempfile.TemporaryFile() as file:
            faulthandler.dump_traceback(file, all_threads=True)
            file.seek(0)
            return file.read().decode(errors="replace")


class SupervisorThread:
    """A supervisor in a thread of the process that runs the user's code.

    Attributes:
        code: the exit code, once the supervisor has ended.
    """

    def __init__(self, config: Config, log: Log, algorithm: LocalAlgorithm) -> None:
        self.supervisor = Supervisor(config, log, lambda: algorithm)
        self.code = EXIT_SOFTWARE
        self._algorithm = algorithm
        self._thread = Thread(target=self._supervise, name="hkube-supervisor", daemon=True)

    def start(self) -> None:
        """Begin to serve the worker."""
        self._thread.start()

    def join(self, patience: float | None = None) -> int:
        """Wait for the end, at most `patience` seconds; returns the exit code."""
        self._thread.join(patience)
        if not self._thread.is_alive():
            self.supervisor.wakeup.close()
        return self.code

    def _supervise(self) -> None:
        self.code = self.supervisor.run(self._algorithm)
        self._algorithm.channel.close()


class SignalPipe:
    """The signals that end this process, for another thread than the main one to read.

    Python calls their handlers in the main thread, between two steps of its code; but that thread
    waits in a system call, which a signal that came just before does not end. The byte that
    Python writes for it comes at once.

    A context manager, for the main thread; afterwards the signals are handled as before.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalPipe:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            if handler is not None:  # one that was not set by Python
                signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()

    def fileno(self) -> int:
        """The file descriptor to wait on."""
        return self._ours.fileno()

    def count(self) -> int:
        """How many have come since the last call; from the thread that waits on them."""
        return sum(number in self._before for number in self._ours.recv(4096))


def serve_in_process(
    environ: Mapping[str, str], load: Callable[[], Algorithm] | None = None
) -> int:
    """Serve the worker until it is over; returns the exit code. From the main thread.

    Args:
        environ: the settings.
        load: gives the algorithm; None: the module that the environment names.
    """
    try:
        config = Config.from_environ(environ, os.getcwd())
    except ConfigurationError as error:
        tell_problems(error)
        return EXIT_CONFIGURATION
    log = Log(config.log_level, config.log_format)
    for warning in config.warnings:
        log.warning(warning)
    log.info(config.how_results_travel)
    serves_peers = config.storage_protocol == "v3" and config.discovery.enabled
    pairs = channel_pairs(serves_peers)
    channel = Channel(*(ours for ours, _ in pairs))
    beside = SupervisorThread(config, log, LocalAlgorithm(channel, log))
    if serves_peers:
        from .supervisor.peers import Peers

        beside.supervisor.take_over = Peers(config, log, beside.supervisor.send).take

    def gone() -> None:
        # User code still runs, for nobody.
        sys.stdout.flush()
        os._exit(beside.code)

    def terminate() -> None:
        for _ in range(signals.count()):
            beside.supervisor.terminate()

    with SignalPipe() as signals:
        beside.supervisor.watch(signals, terminate)
        host = make_host(config, gone, *(theirs for _, theirs in pairs))
        beside.start()
        host.run(load or (lambda: _load_module(config)))
        host.close()
        return beside.join()


def _load_module(config: Config) -> Algorithm:
    from .algorithm.loader import EntryPoint, load

    return load(EntryPoint(Path(config.algorithm_folder), config.entry_point))
