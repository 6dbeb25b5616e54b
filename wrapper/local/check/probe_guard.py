"""The process above the one that loads an algorithm for `check`; started as a script.

It ends when that one does, and in the same way, once all is gone that the module has started.
Only a process that has no other children can see to this: those that have lost their parent
become its own.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import sys
from contextlib import suppress
from types import FrameType, ModuleType

_CHECKS = os.path.dirname(os.path.abspath(__file__))
_CHILD = os.path.join(_CHECKS, "probe_child.py")
_DESCENDANTS = os.path.join(
    os.path.dirname(os.path.dirname(_CHECKS)), "supervisor", "child", "descendants.py"
)

# The first asks for the stacks, the other for the end.
_HANDED_ON = {signal.SIGABRT: signal.SIGABRT, signal.SIGTERM: signal.SIGKILL}


def main(arguments: list[str]) -> None:
    """Run `probe_child.py` with these arguments; does not return."""
    descendants = _load_descendants()
    descendants.adopt_orphans()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDED_ON)  # until there is somebody to have them
    child = os.fork()
    if child == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDED_ON)
        os.execv(sys.executable, [sys.executable, _CHILD, *arguments])

    def hand_on(number: int, frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, _HANDED_ON[signal.Signals(number)])

    for number in _HANDED_ON:
        signal.signal(number, hand_on)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDED_ON)
    _, status = os.waitpid(child, 0)
    for number in _HANDED_ON:
        signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)  # all that can be done where there is no /proc
    descendants.kill_all()
    _end_as(status)


def _load_descendants() -> ModuleType:
    """By its file: the package is not to be found from here."""
    spec = importlib.util.spec_from_file_location("_hkube_descendants", _DESCENDANTS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _end_as(status: int) -> None:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core of this process helps nobody
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(sys.argv[1:])
