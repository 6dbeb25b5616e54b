from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.support.driver import Calls, Driver, driving


@pytest.fixture
def driver() -> Iterator[Driver]:
    with driving() as driver:
        yield driver


@pytest.fixture
def user() -> Calls:
    return Calls()
