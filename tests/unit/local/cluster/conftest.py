"""A real HTTP server with HKube's API, and a client whose pauses take no time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster_server import PREFIX, ClusterServer
from wrapper.local.cluster.access import ClusterAccess
from wrapper.local.cluster.api import ClusterApi
from wrapper.local.cluster.http_client import HttpClient
from wrapper.local.cluster.login import Login


class Clock:
    """Time that passes only in pauses.

    Attributes:
        now: seconds.
        pauses: the pauses so far.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[ClusterServer]:
    with ClusterServer() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(server: ClusterServer) -> ClusterAccess:
    return ClusterAccess(server.url + PREFIX)


@pytest.fixture
def http(access: ClusterAccess, clock: Clock) -> HttpClient:
    return HttpClient(access, clock, clock.pause)


@pytest.fixture
def api(access: ClusterAccess, http: HttpClient, clock: Clock) -> ClusterApi:
    return ClusterApi(http, Login(access, http, clock))
