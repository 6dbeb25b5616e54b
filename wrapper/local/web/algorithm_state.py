"""What pages show of the algorithm itself: whether it is loaded, and what is wrong if not."""

from __future__ import annotations

import enum
import os
import threading
from collections.abc import Callable
from typing import Any, final

from ..source.source import AlgorithmSource
from .functions import examples_of, functions_of


class LoadState(enum.Enum):
    """Where the algorithm is; the value is the name that pages know."""

    STARTING = "starting"
    READY = "ready"
    BROKEN = "broken"
    ENDED = "ended"


@final
class AlgorithmState:
    """The algorithm as pages show it. Thread-safe.

    Attributes:
        name: the algorithm's name.
        load: where it is.
        problem: why it cannot be loaded; empty if it can.
        is_changed: whether its code was saved since its process started.
        run_on_save: whether a save begins a run with the last input.
    """

    def __init__(self, path: str, editor: str, metrics: str, changed: Callable[[], None]) -> None:
        """Prepare a state.

        Args:
            path: the algorithm's path, as it was typed.
            editor: a link that opens a file in an editor, with `{file}` and `{line}`.
            metrics: the folder of metrics for TensorBoard.
            changed: called when pages should show something else.
        """
        self.name = ""
        self.load = LoadState.STARTING
        self.problem = ""
        self.is_changed = False
        self.run_on_save = False
        self._path = path
        self._editor = editor
        self._metrics = metrics
        self._changed = changed
        self._details = ""
        self._saved = ""
        self._source: AlgorithmSource | None = None
        self._functions: list[dict[str, Any]] = []
        self._examples: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def starting(self, source: AlgorithmSource) -> None:
        """A process of the algorithm is being started."""
        functions, examples = functions_of(source), examples_of(source)
        with self._lock:
            self.name, self._source = source.name, source
            self.load, self.is_changed = LoadState.STARTING, False
            self.problem = self._details = ""
            self._functions, self._examples = functions, examples
        self._changed()

    def loaded(self) -> None:
        """The import of the module has ended, in whatever way."""
        with self._lock:
            if self.load is LoadState.STARTING:
                self.load = LoadState.READY
        self._changed()

    def cannot_load(self, problem: str, details: str) -> None:
        """The algorithm cannot be loaded.

        Args:
            problem: why, in one sentence.
            details: lines of code or a stack that explain it.
        """
        with self._lock:
            self.load, self.problem, self._details = LoadState.BROKEN, problem, details
        self._changed()

    def ended(self, reason: str) -> None:
        """The algorithm's process has ended."""
        with self._lock:
            self.load, self.problem = LoadState.ENDED, reason
        self._changed()

    def changed(self, file: str) -> None:
        """A file was saved."""
        with self._lock:
            self.is_changed, self._saved = True, file
        self._changed()

    def set_run_on_save(self, on: bool) -> None:
        """Choose whether a save begins a run with the last input."""
        with self._lock:
            self.run_on_save = on
        self._changed()

    def facts(self) -> dict[str, Any]:
        """Return what pages show."""
        with self._lock:
            source = self._source
            return {
                "name": self.name,
                "path": self._path,
                "folder": str(source.folder) if source else "",
                "state": self.load.value,
                "problem": self.problem,
                "details": self._details,
                "saved": self._saved,
                "isChanged": self.is_changed,
                "runOnSave": self.run_on_save,
                "functions": self._functions,
                "examples": self._examples,
                "remarks": list(source.remarks) if source else [],
                "memory": source.memory if source else None,
                "editor": self._editor,
                "metrics": self._metrics if _holds_files(self._metrics) else "",
            }


def _holds_files(folder: str) -> bool:
    return any(files for _, _, files in os.walk(folder))
