"""The pytest plugin: the fixture ``hkube``, for tests of algorithms.

pytest loads this module wherever the wrapper is installed. It imports the wrapper only when the
fixture is used, so that other tests start no slower and coverage tools see the wrapper's import.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from wrapper.testing import HKube


@pytest.fixture
def hkube(request: pytest.FixtureRequest) -> Iterator[HKube]:
    """Run HKube algorithms without a cluster: hkube.run("main.py", input=[1]).result."""
    from ._core import load_core

    folder, root = request.path.parent, request.config.rootpath
    folders = [folder]
    if root in folder.parents:
        folders += folder.parents[: folder.parents.index(root) + 1]
    # If one of these holds a user's own `wrapper.py`, their `import wrapper` must find that one.
    places = [os.getcwd(), *map(str, folders), *sys.path]
    core = load_core(places)
    testing = core.module("testing")
    with _real_stderr(request.config) as stderr:
        # faulthandler has one timer, which belongs to pytest if this option is set.
        has_timer = not float(request.config.getini("faulthandler_timeout") or 0)
        hkube: HKube = testing.HKube(folders, testing.LastResort(stderr, has_timer))
        yield hkube
        hkube.close()


@contextmanager
def _real_stderr(config: pytest.Config) -> Iterator[int]:
    """Yield a file descriptor of stderr that bypasses pytest's capturing."""
    manager = config.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled() if manager is not None else nullcontext():
        stderr = os.dup(2)
    try:
        yield stderr
    finally:
        os.close(stderr)
