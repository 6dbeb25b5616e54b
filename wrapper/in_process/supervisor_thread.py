"""The supervisor in a thread, and the algorithm side in the same process."""

from __future__ import annotations

import os
import sys
import threading
from threading import Thread

from ..config.settings import Config
from ..log import Log
from ..supervisor.child.process import Channel
from ..supervisor.serve import EXIT_SOFTWARE
from ..supervisor.supervisor import Supervisor

_FOLDER = os.path.dirname(os.path.abspath(__file__))


class LocalAlgorithm:
    """The algorithm side in this process (see `AlgorithmSide`)."""

    ends_with_its_pipe = True
    status: int | None = None

    def __init__(self, channel: Channel, log: Log) -> None:
        self.channel = channel
        self._log = log

    def kill(self) -> None:
        """Do nothing but log: this process cannot be killed for its algorithm."""
        self._log.debug("--in-process: the algorithm cannot be killed, it shares this process")

    def close(self) -> None:
        """Do nothing: no other algorithm side replaces this one."""

    def died_with(self, pid: int, status: int) -> bool:
        """Return False: the children of this process belong to the user."""
        return False

    def stacks(self, ask: bool) -> str:
        """Return the main thread's stack, if asked for, in faulthandler's format.

        Other threads are left out, because they may belong to a debugger or to the local worker.
        So are the frames that started the wrapper.
        """
        if not ask:
            return ""
        main = threading.main_thread().ident or 0
        lines = [f"Thread 0x{main:016x} (most recent call first):"]
        frame = sys._current_frames().get(main)
        while frame is not None and os.path.dirname(frame.f_code.co_filename) != _FOLDER:
            code = frame.f_code
            lines.append(f'  File "{code.co_filename}", line {frame.f_lineno} in {code.co_name}')
            frame = frame.f_back
        return "\n".join(lines)


class SupervisorThread:
    """A supervisor in a thread of the process that runs the user's code.

    Attributes:
        supervisor: what runs in the thread.
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
        """Wait for the end, at most `patience` seconds; return the exit code."""
        self._thread.join(patience)
        if not self._thread.is_alive():
            self.supervisor.wakeup.close()
        return self.code

    def _supervise(self) -> None:
        self.code = self.supervisor.run(self._algorithm)
        self._algorithm.channel.close()
