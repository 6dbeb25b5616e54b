"""Starts the algorithm side, in a process of its own or in the user's process."""

from __future__ import annotations

import atexit
import faulthandler
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, NoReturn

from ..config.settings import Config
from ..ipc.frames import CHANNEL_VARIABLE, DUMP_SIGNAL, HUGE_PAGES, TUNABLES_VARIABLE
from ..log import Log
from ..protocol.encoding.encoding import get_encoding
from .api.task_metrics import TaskMetrics
from .errors import thread_failures
from .errors.last_words import LastWords
from .host.host import Host
from .host.interruption import Interruption
from .host.pipes import Pipes
from .host.settings import HostSettings
from .host.user_code import UserCode

if TYPE_CHECKING:
    from ..storage.task_storage import TaskStorage
    from .loading.loader import UserAlgorithm

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_EXIT_HOOKS_PATIENCE = 3.0  # seconds
_LINE_BUFFERED = 1  # _IOLBF of <stdio.h>


def serve_module(before_loading: Callable[[], None]) -> None:
    """Serve the supervisor with the module that the environment names; does not return.

    Args:
        before_loading: makes sys.path what the user's code should see.
    """
    config = Config.from_environ(os.environ, os.getcwd())

    def load() -> UserAlgorithm:
        from pathlib import Path

        from .loading.loader import EntryPoint
        from .loading.loader import load as load_module

        before_loading()
        return load_module(EntryPoint(Path(config.algorithm_folder), config.entry_point))

    serve_process(config, load)


def serve_process(config: Config, load: Callable[[], UserAlgorithm]) -> None:
    """Serve the supervisor that started this process; does not return.

    Args:
        config: the settings.
        load: loads the user's functions; may raise LoadError.
    """
    fds = [int(fd) for fd in os.environ.pop(CHANNEL_VARIABLE).split(",")]
    tasks, control, stacks, *handover = fds
    if os.environ.get(TUNABLES_VARIABLE) == HUGE_PAGES:
        del os.environ[TUNABLES_VARIABLE]
    for fd in fds:
        os.set_inheritable(fd, False)
    faulthandler.enable(file=stacks, all_threads=True)
    faulthandler.register(DUMP_SIGNAL, file=stacks, all_threads=True, chain=False)
    thread_failures.install()
    _die_with_parent()
    _buffer_output_by_line()
    last_words = LastWords(stacks)
    pipes = [socket.socket(fileno=fd) for fd in (tasks, control, *handover)]
    try:
        code = make_host(config, lambda: os._exit(1), last_words.leave, *pipes).run(load)
    # The boundary: an error of ours must not look as if user code had ended the process.
    except BaseException as error:
        last_words.leave(error)
    leave(code)


def make_host(
    config: Config,
    on_supervisor_gone: Callable[[], None],
    on_failure: Callable[[BaseException], None],
    tasks: socket.socket,
    control: socket.socket,
    handover: socket.socket | None = None,
) -> Host:
    """Make a host that uses these ends of the pipes; from the main thread.

    Args:
        config: the settings.
        on_supervisor_gone: see `Host`.
        on_failure: see `Host`.
        tasks: see `Pipes`.
        control: see `Pipes`.
        handover: receives the results that the supervisor serves to peers (mode v3).
    """
    interruption = Interruption()
    interruption.install()
    log = Log(config.log_level, config.log_format, marks_events=config.log_marks_events)
    settings = host_settings(config, log, handover)
    pipes = Pipes(tasks, control, interruption)
    return Host(pipes, UserCode(interruption), settings, log, on_supervisor_gone, on_failure)


def host_settings(config: Config, log: Log, handover: socket.socket | None = None) -> HostSettings:
    """Return the settings of a host.

    Args:
        config: the settings of both sides.
        log: the wrapper's log.
        handover: see `make_host`.
    """
    return HostSettings(
        get_encoding(config.encoding, for_worker=True),
        config.max_payload,
        TaskMetrics(config.metrics_folder, config.metrics_mode, (config.algorithm_folder,)),
        config.log_failures,
        _open_storage(config, log, handover),
        get_encoding(config.discovery.encoding) if config.storage_protocol == "v3" else None,
    )


def _open_storage(config: Config, log: Log, handover: socket.socket | None) -> TaskStorage | None:
    if config.storage_protocol != "v3":
        return None
    from ..storage.task_storage import TaskStorage

    return TaskStorage(config.storage, config.discovery, log.warning, handover)


def _die_with_parent() -> None:
    """Have the kernel kill this process when the supervisor ends, even if that was killed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)


def _buffer_output_by_line() -> None:
    """Write each line that user code prints at once, so that a crash does not lose the last."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)
    if sys.platform == "linux":
        import ctypes

        libc = ctypes.CDLL(None)
        stdout = ctypes.c_void_p.in_dll(libc, "stdout")
        # Otherwise C's own buffer holds back what printf writes, and mixes up the order.
        libc.setvbuf(stdout, None, _LINE_BUFFERED, 0)


def leave(code: int = 0) -> NoReturn:
    """End the process as the interpreter would, but do not wait for threads of user code."""
    Thread(target=_end_in_time, args=(code,), name="hkube-end", daemon=True).start()
    # The hooks of executors first: multiprocessing's hook would wait for their processes for ever.
    for end in reversed(getattr(threading, "_threading_atexits", ())):
        end()
    atexit._run_exitfuncs()
    end_now(code)


def end_now(code: int) -> NoReturn:
    """End the process, whatever still runs in it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # user code closed or replaced it, or its reader has gone
            pass
    os._exit(code)


def _end_in_time(code: int) -> None:
    time.sleep(_EXIT_HOOKS_PATIENCE)
    os._exit(code)  # without a flush: the hook that hangs may hold the stream
