"""Sets up the supervisor from the environment, and runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..config.environment import is_outside_hkube
from ..config.settings import Config
from ..errors import ConfigurationError
from ..log import Log
from .child import descendants
from .child.open_files import OpenFiles
from .child.process import AlgorithmProcess

if TYPE_CHECKING:
    from .child.code_watcher import Snapshot
    from .child.output_relay import OutputRelay

EXIT_CONFIGURATION = 78
EXIT_SOFTWARE = 70

# boot.py takes it, and restores PYTHONPATH.
_WITHHELD_VARIABLE = "_HKUBE_PYTHONPATH"

_BOOT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "algorithm", "boot.py"
)


_LAPTOP_HINT = " (to try an algorithm without HKube: hkube-wrapper run PATH)"


def serve(environ: Mapping[str, str], command: Sequence[str] | None = None) -> int:
    """Serve the worker until the container has to end; return the exit code.

    Args:
        environ: the environment, for the settings and for the algorithm process.
        command: starts the algorithm process (a user's script that calls Algorunner.Run); None:
            the wrapper's command, which loads the module that the environment names.
    """
    try:
        config = Config.from_environ(environ, os.getcwd())
    except ConfigurationError as error:
        print_problems(error)
        return EXIT_CONFIGURATION
    log = Log(config.log_level, config.log_format, marks_events=config.log_marks_events)
    for warning in config.warnings:
        log.warning(warning)
    files = OpenFiles()
    try:
        if command is None:
            command = _own_command(config)
            environ = _without_users_folders(environ, config)
        return _serve(config, log, environ, command, files)
    # The boundary: an error in the wrapper must end the container with a report and its own code.
    except Exception:
        import traceback

        log.error("the wrapper itself has failed; please report this:\n" + traceback.format_exc())
        return EXIT_SOFTWARE
    finally:
        files.release()
        descendants.kill_all()


def print_problems(error: ConfigurationError) -> None:
    """Print on stderr what is wrong with the settings, one problem a line."""
    lines = [f"cannot start: {len(error.problems)} bad setting(s) in the environment:"]
    lines += [f"  - {problem}" for problem in error.problems]
    print("\n".join(lines), file=sys.stderr, flush=True)


def _serve(
    config: Config,
    log: Log,
    environ: Mapping[str, str],
    command: Sequence[str],
    files: OpenFiles,
) -> int:
    descendants.adopt_orphans()
    relay = _make_relay(config)
    outputs = relay.outputs if relay is not None else None

    def spawn() -> AlgorithmProcess:
        return files.with_reserve(
            lambda: AlgorithmProcess(
                command,
                _child_environ(environ),
                outputs,
                serves_peers(config),
                config.max_payload,
                files,
            )
        )

    snapshot = _take_snapshot(config)
    # Before the remaining imports: the algorithm process starts on another core meanwhile.
    first = spawn()
    from .supervisor import Supervisor

    hint = _LAPTOP_HINT if is_outside_hkube(environ) else ""
    supervisor = Supervisor(config, log, spawn, relay, hint)
    supervisor.listen_to_signals()
    log.info(config.how_results_travel)
    if config.health_socket:
        from .health import open_health_socket

        health = open_health_socket(config.health_socket, log)
        if health is not None:
            supervisor.watch(health, health.answer)
    if config.dev_mode:
        from .child.code_watcher import watch_in_thread

        watch_in_thread(config.algorithm_folder, supervisor.reload, log, snapshot)
    code = supervisor.run(first)
    supervisor.close()
    return code


def serves_peers(config: Config) -> bool:
    """Return whether results are held in memory and served to other algorithms."""
    return config.storage_protocol == "v3" and config.discovery.enabled


def _take_snapshot(config: Config) -> Snapshot | None:
    """Note the state of the code before it is loaded, if changes have to be noticed."""
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
    return [sys.executable, "-u", _BOOT, *_users_folders(config)]


def _users_folders(config: Config) -> list[str]:
    entry = config.entry_point
    file = entry if entry.endswith(".py") or "/" in entry else entry.replace(".", "/")
    module_folder = os.path.join(config.algorithm_folder, os.path.dirname(file))
    return [config.algorithm_folder, module_folder, os.getcwd()]


def _without_users_folders(environ: Mapping[str, str], config: Config) -> Mapping[str, str]:
    """Withhold the user's folders from Python's own start, which may import from PYTHONPATH.

    Other folders stay: tools that instrument a program start it with such a folder.
    """
    value = environ.get("PYTHONPATH", "")
    users = {os.path.realpath(folder) for folder in _users_folders(config)}
    entries = value.split(os.pathsep) if value else []
    kept = [entry for entry in entries if os.path.realpath(entry) not in users]
    if kept == entries:
        return environ
    changed = {**environ, _WITHHELD_VARIABLE: value, "PYTHONPATH": os.pathsep.join(kept)}
    if not kept:
        del changed["PYTHONPATH"]  # an empty value stands for the working directory
    return changed


def _child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    from .child.huge_pages import huge_page_environ

    return {**environ, "PYTHONUNBUFFERED": "1", **huge_page_environ(environ)}
