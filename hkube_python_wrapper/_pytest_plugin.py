"""The pytest plugin: the fixture `hkube`, for tests of algorithms.

pytest loads this module in every run of an environment that the wrapper is installed in, so
nothing is imported here that a test without the fixture would pay for, or that a coverage tool,
which begins later, would miss.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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
    hkube: HKube = testing.HKube(folders, _shown_uncaptured(request.config))
    yield hkube
    hkube.close()


def _shown_uncaptured(config: pytest.Config) -> Callable[[str], None]:
    """Return a function that shows a text on stderr, past pytest's capturing."""

    def show(text: str) -> None:
        manager = config.pluginmanager.getplugin("capturemanager")
        if manager is not None:
            manager.suspend_global_capture(in_=True)
        print(text, file=sys.__stderr__, flush=True)

    return show
