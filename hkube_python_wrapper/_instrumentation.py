"""Keeps tools such as `opentelemetry-instrument` out of the wrapper's own processes.

Such a tool puts a folder with a `sitecustomize.py` into PYTHONPATH, which Python imports when it
starts. It belongs into the algorithm process, and not into the supervisor, which starts fast, has
few threads and talks to HKube only.
"""

import os
import sys

_LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_launch.py")


def leave_instrumentation(arguments: list[str]) -> None:
    """Start this program again without such a tool, if there is one.

    Args:
        arguments: those of the command line.
    """
    if sys.flags.isolated or "--in-process" in arguments:  # there, user code runs in this process
        return
    if restore_tool():
        command = [sys.executable, "-Iu", _LAUNCH, *arguments]
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)


def restore_tool() -> bool:
    """Put the tool's folder back into PYTHONPATH; return whether there is a tool.

    OpenTelemetry takes it out, so that child processes are left alone.
    """
    from hkube_python_wrapper._import_path import is_installed

    file = getattr(sys.modules.get("sitecustomize"), "__file__", None)
    folder = os.path.dirname(os.path.abspath(file)) if file else ""
    if not folder or is_installed(folder):
        return False
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    others = [entry for entry in entries if entry and os.path.abspath(entry) != folder]
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *others])
    return True
