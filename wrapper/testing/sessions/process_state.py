"""Gives an algorithm its own process-wide state while it runs in the test's process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ...algorithm.loading.importing import PACKAGE_NAME

_INSTALLED = ("site-packages", "dist-packages")


def environment() -> dict[str, str]:
    """Return a copy of the current environment variables."""
    return dict(os.environ)


class ProcessState:
    """An algorithm's working directory, environment, sys.path, modules and signal handlers.

    `applied` applies them to the process, keeps the algorithm's changes for its next run, and
    restores the state of the test.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str], entry_name: str) -> None:
        """Describe the initial state without applying it.

        Args:
            folder: Folder of the algorithm.
            environ: Environment variables that the algorithm sets for itself.
            entry_name: Name of the module to import anew; empty to import none.
        """
        self._folder = str(folder)
        self._environ: dict[str, str | None] = dict(environ)
        self._cwd: str | None = None
        self._path: list[str] | None = None
        self._modules: dict[str, ModuleType | None] = {}
        self._handlers: dict[int, Any] = {}
        if entry_name and entry_name not in sys.stdlib_module_names and entry_name != "__main__":
            self._modules[entry_name] = None

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Apply the state, and restore the test's on exit; call it from the main thread."""
        cwd, path, environ = os.getcwd(), list(sys.path), environment()
        modules, handlers = dict(sys.modules), _handlers()
        self._enter()
        before = environment()
        try:
            yield
        finally:
            self._keep(before, path, modules, handlers)
            for number, handler in handlers.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
            _set_environment(environ)
            sys.path[:] = path
            os.chdir(cwd)

    def _enter(self) -> None:
        if self._cwd is not None and os.path.isdir(self._cwd):
            os.chdir(self._cwd)
        if self._path is not None:
            sys.path[:] = self._path
        _apply(os.environ, self._environ)
        _apply(sys.modules, self._modules)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _keep(
        self,
        environ: Mapping[str, str],
        path: list[str],
        modules: dict[str, ModuleType],
        handlers: dict[int, Any],
    ) -> None:
        """Keep the algorithm's changes, and remove its modules from `sys.modules`."""
        self._path = list(sys.path)
        try:
            self._cwd = os.getcwd()
        except OSError:  # the algorithm removed its working directory
            self._cwd = None
        now = environment()
        for name in environ.keys() | now.keys():
            if environ.get(name) != now.get(name):
                self._environ[name] = now.get(name)
        self._handlers = {
            number: handler
            for number, handler in _handlers().items()
            if handlers.get(number) is not handler
        }
        for name, module in list(sys.modules.items()):
            if modules.get(name) is not module and self._is_own(name, module):
                self._modules[name] = module
        restored = {name: modules.get(name) for name in self._modules}
        _apply(sys.modules, restored)

    def _is_own(self, name: str, module: ModuleType) -> bool:
        """Return whether a module belongs to the algorithm rather than to a library."""
        if name.partition(".")[0].rstrip("_") == PACKAGE_NAME:
            return True
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
        if not isinstance(file, str) or not file.startswith(self._folder + os.sep):
            return False
        return not any(folder in file.split(os.sep) for folder in _INSTALLED)


def _apply(mapping: Any, changes: Mapping[str, Any]) -> None:
    """Update a mapping; None removes an entry."""
    for name, value in changes.items():
        if value is None:
            mapping.pop(name, None)
        else:
            mapping[name] = value


def _set_environment(environ: Mapping[str, str]) -> None:
    now = environment()
    _apply(os.environ, {name: environ.get(name) for name in now.keys() - environ.keys()})
    _apply(os.environ, {k: value for k, value in environ.items() if now.get(k) != value})


def _handlers() -> dict[int, Any]:
    """Return the signal handlers that were set from Python."""
    found = {int(number): signal.getsignal(number) for number in signal.valid_signals()}
    return {number: handler for number, handler in found.items() if handler is not None}
