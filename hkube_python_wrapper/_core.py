"""Loading the package `wrapper` beside this one, even if another module has the same name.

The user's folder may contain a `wrapper.py`, which comes first in sys.path.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ._import_path import restored_path

_BOOT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "wrapper", "algorithm", "boot.py"
)


class Core:
    """The package `wrapper`, under the name that it was loaded under."""

    def __init__(self, name: str) -> None:
        self._name = name

    def module(self, path: str) -> ModuleType:
        """Import the module of the package at this dotted path."""
        with restored_path():
            return importlib.import_module(f"{self._name}.{path}")

    def run(
        self,
        start: Any,
        initialize: Any,
        stop: Any,
        leave: Any,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """See `wrapper.algorunner.run`."""
        self.module("algorunner").run(start, initialize, stop, leave, settings)

    def hkube_api(self) -> Any:
        """Import the class HKubeApi."""
        return self.module("algorithm.api.hkube_api").HKubeApi


def load_core(folders: list[str]) -> Core:
    """Load the package.

    Args:
        folders: folders that may contain user code.
    """
    boot = _load_boot()
    if boot.PRIVATE_NAME in sys.modules:
        return Core(boot.PRIVATE_NAME)
    return Core(boot.load_package([folder for folder in folders if os.path.isdir(folder)]))


def _load_boot() -> Any:
    spec = importlib.util.spec_from_file_location("_hkube_wrapper_boot", _BOOT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
