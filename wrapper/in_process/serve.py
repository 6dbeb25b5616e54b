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
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..algorithm.serve import end_now, leave, make_host
from ..config.settings import Config
from ..errors import ConfigurationError
from ..log import Log
from ..supervisor.child.process import Channel, channel_pairs
from ..supervisor.serve import EXIT_CONFIGURATION, EXIT_SOFTWARE, tell_problems
from ..supervisor.supervisor import Supervisor

if TYPE_CHECKING:
    from ..algorithm.loading.loader import UserAlgorithm


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
        """Where the main thread is, if asked for, in faulthandler's words.

        Neither the other threads, which may be of a debugger or the local worker, nor what has
        started the wrapper.
        """
        if not ask:
            return ""
        main = threading.main_thread().ident or 0
        lines = [f"Thread 0x{main:016x} (most recent call first):"]
        frame = sys._current_frames().get(main)
        while frame is not None and frame.f_code.co_filename != __file__:
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}')
            frame = frame.f_back
        return "\n".join(lines)


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

    def numbers(self) -> list[int]:
        """Those that have come since the last call; from the thread that waits on them."""
        return [number for number in self._ours.recv(4096) if number in self._before]


def serve_in_process(
    environ: Mapping[str, str],
    load: Callable[[], UserAlgorithm] | None = None,
    gone: Callable[[int], None] = end_now,
    heard: Callable[[int], None] = lambda number: None,
) -> int:
    """Serve the worker until it is over; returns the exit code. From the main thread.

    Args:
        environ: the settings.
        load: gives the algorithm; None: the module that the environment names.
        gone: called with the exit code, from a thread, if it is over and user code still runs;
            ends the process.
        heard: called from a thread with the number of each signal that is to end it.
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
        from ..supervisor.peers import Peers

        beside.supervisor.take_over = Peers(config, log, beside.supervisor.send).take

    def terminate() -> None:
        for number in signals.numbers():
            heard(number)
            beside.supervisor.terminate()

    with SignalPipe() as signals:
        beside.supervisor.watch(signals, terminate)
        host = make_host(config, lambda: gone(beside.code), *(theirs for _, theirs in pairs))
        beside.start()
        host.run(load or (lambda: _load_module(config)))
        host.close()
        return beside.join()


def leave_threads(code: int) -> int:
    """Return the exit code; if threads of the user's are still at work, end the process with it.

    The interpreter would wait for them, for ever perhaps; a container's end does not.
    """
    ours = (threading.main_thread(), threading.current_thread())
    if any(not thread.daemon for thread in threading.enumerate() if thread not in ours):
        leave(code)
    return code


def _load_module(config: Config) -> UserAlgorithm:
    from ..algorithm.loading.loader import EntryPoint, load

    return load(EntryPoint(Path(config.algorithm_folder), config.entry_point))
