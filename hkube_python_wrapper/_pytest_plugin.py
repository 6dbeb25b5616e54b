"""The pytest plugin: the fixture `hkube`, for tests of algorithms.

pytest loads this module in every run if the wrapper is installed. So it imports nothing that would
slow down runs without the fixture, or that a coverage tool, which starts later, would miss.
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
    # If one of these contains a user's `wrapper.py`, `import wrapper` must import that one.
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
    """Yield a file descriptor of the real stderr, which pytest does not capture."""
    manager = config.pluginmanager.getplugin("capturemanager")
    with manager.global_and_fixture_disabled() if manager is not None else nullcontext():
        stderr = os.dup(2)
    try:
        yield stderr
    finally:
        os.close(stderr)
