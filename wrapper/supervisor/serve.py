"""Setting up the supervisor from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..config.settings import Config
from ..errors import ConfigurationError
from ..log import Log
from .child import descendants
from .child.process import AlgorithmProcess

if TYPE_CHECKING:
    from .child.code_watcher import Snapshot
    from .child.output_relay import OutputRelay
    from .supervisor import Supervisor

EXIT_CONFIGURATION = 78
EXIT_SOFTWARE = 70

_BOOT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "algorithm", "boot.py"
)


def serve(environ: Mapping[str, str], command: Sequence[str] | None = None) -> int:
    """Serve the worker until it is over; returns the exit code.

    Args:
        environ: the environment, for this process's settings and for the algorithm process.
        command: starts the algorithm process (a user's own script that calls Algorunner.Run);
            None: the wrapper's own, which loads the module that the environment names.
    """
    try:
        config = Config.from_environ(environ, os.getcwd())
    except ConfigurationError as error:
        tell_problems(error)
        return EXIT_CONFIGURATION
    log = Log(config.log_level, config.log_format)
    for warning in config.warnings:
        log.warning(warning)
    try:
        return _serve(config, log, environ, command or _own_command(config))
    # The border: a fault of the wrapper must end the container with its own code and a report.
    except Exception:
        import traceback

        log.error("the wrapper itself has failed; please report this:\n" + traceback.format_exc())
        return EXIT_SOFTWARE
    finally:
        descendants.kill_all()


def tell_problems(error: ConfigurationError) -> None:
    """Say on stderr what is wrong with the settings, one line each."""
    lines = [f"cannot start: {len(error.problems)} bad setting(s) in the environment:"]
    lines += [f"  - {problem}" for problem in error.problems]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _serve(config: Config, log: Log, environ: Mapping[str, str], command: Sequence[str]) -> int:
    descendants.adopt_orphans()
    relay = _make_relay(config)
    outputs = relay.outputs if relay is not None else None

    serves_peers = config.storage_protocol == "v3" and config.discovery.enabled

    def spawn() -> AlgorithmProcess:
        return AlgorithmProcess(command, _child_environ(environ), outputs, serves_peers)

    snapshot = _take_snapshot(config)
    # Before the rest is imported: the algorithm process starts on another core meanwhile.
    first = spawn()
    from .supervisor import Supervisor

    supervisor = Supervisor(config, log, spawn)
    supervisor.listen_to_signals()
    log.info(config.how_results_travel)
    if serves_peers:
        # Once the connection is being opened: ZeroMQ takes a while to import.
        supervisor.wakeup.post(lambda: _serve_peers(supervisor, config, log))
    if relay is not None:
        relay.start(supervisor.send)
        supervisor.before_goodbye = relay.finish
    if config.health_socket:
        from .health import open_health_socket

        health = open_health_socket(config.health_socket, log)
        if health is not None:
            supervisor.watch(health, health.answer)
    if config.dev_mode:
        from .child.code_watcher import watch_in_thread

        watch_in_thread(config.algorithm_folder, supervisor.reload, log, snapshot)
    return supervisor.run(first)


def _serve_peers(supervisor: Supervisor, config: Config, log: Log) -> None:
    from .peers import Peers

    supervisor.take_over = Peers(config, log, supervisor.send).take


def _take_snapshot(config: Config) -> Snapshot | None:
    """The state of the code that is about to be loaded, if its changes are to be seen."""
    if not config.dev_mode:
        return None
    from .child.code_watcher import take_snapshot

    return take_snapshot(config.algorithm_folder)


def _make_relay(config: Config) -> OutputRelay | None:
    if not config.redirect_logs:
        return None
    from .child.output_relay import OutputRelay

    return OutputRelay(config.encoding)


def _own_command(config: Config) -> list[str]:
    entry = config.entry_point
    file = entry if entry.endswith(".py") or "/" in entry else entry.replace(".", "/")
    module_folder = os.path.join(config.algorithm_folder, os.path.dirname(file))
    folders = [config.algorithm_folder, module_folder, os.getcwd()]
    return [sys.executable, "-u", _BOOT, *folders]


def _child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    return {**environ, "PYTHONUNBUFFERED": "1"}
