"""The package name of the previous wrapper, so that existing algorithms run unchanged.

from hkube_python_wrapper import Algorunner, HKubeApi
"""

# No import runs before the user's folders are last in sys.path: see _import_path.py.
TYPE_CHECKING = False  # type checkers take this name for typing.TYPE_CHECKING
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from wrapper import HKubeApi

    from ._core import Core

__all__ = ["Algorunner", "HKubeApi"]


class Algorunner:
    """Starts the wrapper from your own script."""

    @staticmethod
    def Run(
        start: "Callable[..., Any] | None" = None,
        init: "Callable[..., Any] | None" = None,
        stop: "Callable[..., Any] | None" = None,
        exit: "Callable[..., Any] | None" = None,
        options: object = None,
    ) -> None:
        """Serve HKube's worker with these functions; do not return.

        Args:
            start: called for each task with its data, and with HKubeApi if it takes a second
                argument. None: serve the module that ALGORITHM_ENTRY_POINT names.
            init: called with the same data before `start`.
            stop: called when the task has to stop.
            exit: called before the process ends.
            options: ignored; the settings are environment variables.
        """
        _load_core().run(start, init, stop, exit)

    @staticmethod
    def Debug(
        debug_url: str,
        start: "Callable[..., Any]",
        init: "Callable[..., Any] | None" = None,
        stop: "Callable[..., Any] | None" = None,
        exit: "Callable[..., Any] | None" = None,
        options: object = None,
        logs: bool = False,
    ) -> None:
        """Run the tasks of a debug algorithm of the cluster on this machine.

        Args:
            debug_url: the WebSocket URL of the debug algorithm.
            logs: also send what the algorithm prints to the cluster.

        The other arguments are those of `Run`.
        """
        settings = {"WORKER_SOCKET_URL": debug_url, "STORAGE_PROTOCOL": "v1"}
        if logs:
            settings["REDIRECT_LOGS"] = "true"
        _load_core().run(start, init, stop, exit, settings)


def __getattr__(name: str) -> "Any":
    if name == "HKubeApi":
        return _load_core().hkube_api()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load_core() -> "Core":
    import os

    from ._import_path import restored_path

    with restored_path() as path:
        from ._core import load_core

        # A script's own wrapper.py is in its folder or in the working directory.
        return load_core([entry or os.getcwd() for entry in (*path[:1], "")])
