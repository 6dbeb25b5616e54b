"""The pytest plugin: the fixture `hkube`, for tests of algorithms.

pytest loads this module in every run of an environment that the wrapper is installed in, so
nothing is imported here that a test without the fixture would pay for, or that a coverage tool,
which begins later, would miss.
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
    """Run HKube algorithms with no cluster: hkube.run("main.py", input=[1]).result."""
    from ._core import load_core

    folder, root = request.path.parent, request.config.rootpath
    folders = [folder]
    if root in folder.parents:
        folders += folder.parents[: folder.parents.index(root) + 1]
    # A user's own `wrapper.py` in any of these is what `import wrapper` must give them.
    places = [os.getcwd(), *map(str, folders), *sys.path]
    core = load_core([place for place in places if os.path.isdir(place)])
    testing = core.module("testing")
    with _real_stderr(request.config) as stderr:
        has_timer = not float(request.config.getini("faulthandler_timeout") or 0)  # else pytest's
        hkube: HKube = testing.HKube(folders, testing.LastResort(stderr, has_timer))
        yield hkube
        hkube.close()


@contextmanager
def _real_stderr(config: pytest.Config) -> Iterator[int]:
    """A file descriptor of stderr as it is without pytest's capturing."""
    manager = config.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled() if manager is not None else nullcontext():
        stderr = os.dup(2)
    try:
        yield stderr
    finally:
        os.close(stderr)
