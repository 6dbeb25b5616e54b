"""The script that `check` starts: it loads the algorithm in a child process and cleans up after it.

There are three processes. `check` starts this script; this script forks, and its child runs the
user's module. The process in between is needed because a module may leave daemons behind: the
kernel hands orphans to an ancestor that asked for them, and only a process without other children
can end everything below it. It then ends the same way its child did.

As in the algorithm process, the package is loaded under another name if the user's folder holds
a `wrapper.py`: `algorithm/boot.py` decides. And as there, the user's folders are last in sys.path
until the user's module is loaded.
"""

# ruff: noqa: E402
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_PACKAGE = os.path.dirname(os.path.dirname(_FOLDER))

if __name__ == "__main__":
    _users_path = [entry for entry in sys.path if os.path.abspath(entry or ".") != _FOLDER]
    sys.path[:] = [os.path.dirname(_PACKAGE), *_users_path]
    from hkube_python_wrapper._import_path import import_needed_later, users_last

    sys.path[:] = _users_path
    users_last()

import faulthandler
import importlib
import importlib.util
import signal
from contextlib import suppress
from types import FrameType

# What the child gets for each signal: SIGABRT writes its stacks, SIGKILL ends it.
_FORWARDED = {signal.SIGABRT: signal.SIGABRT, signal.SIGTERM: signal.SIGKILL}


def main(answer: str, stacks: str, base: str, target: str, file: str) -> None:
    """Load the algorithm in a child process, clean up, and end as the child did.

    Args:
        answer: path of the file to write the answer to.
        stacks: path of the file to write the stacks of a crash to.
        base: the algorithm's folder.
        target: the entry point.
        file: path of the module that the entry point names.
    """
    sys.argv[1:] = []  # a parser in the user's module must not see our arguments
    package = _load_package(list(dict.fromkeys([base, os.path.dirname(file)])))
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)  # until there is a child to receive them
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)  # returns once the parent adopts orphans
        os.close(reading)
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        faulthandler.enable(open(stacks, "w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        probe_answer = importlib.import_module(f"{package}.local.check.probe_answer")
        import_needed_later([base, os.path.dirname(file), *_users_path])
        sys.path[:] = _users_path
        probe_answer.answer(answer, base, target)
    descendants = importlib.import_module(f"{package}.supervisor.child.descendants")
    descendants.adopt_orphans()
    os.close(writing)
    status = _wait(child)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # without /proc, nothing more is possible
    descendants.kill_all()
    _end_as(status)


def _load_package(folders: list[str]) -> str:
    """Load the package and return its name; `boot.py` cannot be imported before that."""
    boot = os.path.join(_PACKAGE, "algorithm", "boot.py")
    spec = importlib.util.spec_from_file_location("_hkube_boot", boot)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    name: str = module.load_package(folders)
    return name


def _wait(child: int) -> int:
    """Forward signals to the child until it ends; return its wait status."""

    def forward(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, _FORWARDED[signal.Signals(number)])

    for number in _FORWARDED:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    _, status = os.waitpid(child, 0)
    for number in _FORWARDED:
        signal.signal(number, signal.SIG_IGN)
    return status


def _end_as(status: int) -> None:
    import resource

    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump of this process is useless
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


# multiprocessing's "spawn" runs this file again, under another name, in each of its processes.
if __name__ == "__main__":
    main(*sys.argv[1:])
