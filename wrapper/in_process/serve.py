"""`--in-process`: supervisor and algorithm in one process, so that a debugger's breakpoints work.

Both sides run the same code over the same pipes as in two processes, the supervisor in a thread.
What needs a separate process is missing: a C call that holds the GIL silences `alive`, and a stuck
algorithm cannot be killed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..algorithm.serve import end_now, leave, make_host
from ..config.settings import Config
from ..errors import ConfigurationError
from ..log import Log
from ..supervisor.child.process import Channel, channel_pairs
from ..supervisor.serve import EXIT_CONFIGURATION, print_problems, serves_peers
from .gevent_patches import gevent_patches_refused
from .signal_pipe import SignalPipe
from .supervisor_thread import LocalAlgorithm, SupervisorThread

if TYPE_CHECKING:
    from ..algorithm.loading.loader import UserAlgorithm


def serve_in_process(
    environ: Mapping[str, str],
    load: Callable[[], UserAlgorithm] | None = None,
    end_process: Callable[[int], None] = end_now,
    on_signal: Callable[[int], None] = lambda number: None,
) -> int:
    """Serve the worker until the process has to end; return the exit code. For the main thread.

    Args:
        environ: the settings.
        load: returns the algorithm; None: load the module that the environment names.
        end_process: ends the process with an exit code; called from a thread if the supervisor has
            ended and user code still runs.
        on_signal: called from a thread with the number of each SIGTERM or SIGINT.
    """
    try:
        config = Config.from_environ(environ, os.getcwd())
    except ConfigurationError as error:
        print_problems(error)
        return EXIT_CONFIGURATION
    log = Log(config.log_level, config.log_format, marks_events=config.log_marks_events)
    for warning in config.warnings:
        log.warning(warning)
    log.info(config.how_results_travel)
    pairs = channel_pairs(serves_peers(config))
    channel = Channel(*(ours for ours, _ in pairs))
    algorithm = LocalAlgorithm(channel, log)
    beside = SupervisorThread(config, log, algorithm)

    def terminate() -> None:
        for number in signals.numbers():
            on_signal(number)
            beside.supervisor.terminate()

    with SignalPipe() as signals:
        beside.supervisor.watch(signals, terminate)
        host = make_host(
            config,
            lambda: end_process(beside.code),
            lambda error: log.error(f"no answers and stops arrive any more: {error}"),
            *(theirs for _, theirs in pairs),
        )
        beside.start()
        with gevent_patches_refused():
            code = host.run(load or (lambda: _load_module(config)))
        algorithm.status = code << 8  # as `wait` reports it
        host.close()
        return beside.join()


def leave_threads(code: int) -> int:
    """Return the exit code; but if user threads still run, end the process with it.

    The interpreter would wait for these threads, perhaps for ever. The end of a container does not.
    """
    ours = (threading.main_thread(), threading.current_thread())
    if any(not thread.daemon for thread in threading.enumerate() if thread not in ours):
        leave(code)
    return code


def _load_module(config: Config) -> UserAlgorithm:
    from ..algorithm.loading.loader import EntryPoint, load

    return load(EntryPoint(Path(config.algorithm_folder), config.entry_point))
