"""Waiting for a build or a job, with what a person sees of it."""

from __future__ import annotations

import io
from collections import deque

import pytest

from tests.cluster_server import DROPPED, ClusterServer, Reply
from wrapper.local.cluster.api import ClusterApi
from wrapper.local.cluster.errors import ClusterError
from wrapper.local.cluster.follow import ClusterProgress, follow_build, follow_job
from wrapper.local.show.screen import Screen

from .conftest import Clock


def test_each_change_is_one_line(server: ClusterServer, api: ClusterApi, clock: Clock) -> None:
    active = {"status": "active", "data": {"progress": "50", "details": "1/2\ncompleted"}}
    server.job_states = deque(
        [{"status": "pending"}, {"status": "pending"}, active, active, {"status": "completed"}]
    )
    shown = io.StringIO()
    state = follow_job(api, "j", ClusterProgress(Screen(shown)), clock.pause)
    assert state.status == "completed"
    assert shown.getvalue().splitlines() == [
        "[cluster] job j: pending",
        "[cluster] job j: active · 1/2 completed",
    ]


@pytest.mark.parametrize("ending", ["completed", "failed", "stopped"])
def test_build_ends_in_each_way(
    server: ClusterServer, api: ClusterApi, clock: Clock, ending: str
) -> None:
    states = ["pending", "creating", "active", ending, "not asked any more"]
    server.build_states = deque({"status": status} for status in states)
    state = follow_build(api, "b", ClusterProgress(Screen(io.StringIO())), clock.pause)
    assert state.status == ending
    assert len(server.asked) == 4


def test_cluster_that_is_away_for_a_while_is_waited_for(
    server: ClusterServer, api: ClusterApi, clock: Clock
) -> None:
    server.fault("GET builds/status/b", *[DROPPED, Reply(503, b"")] * 10)
    state = follow_build(api, "b", ClusterProgress(Screen(io.StringIO())), clock.pause)
    assert state.status == "completed"


def test_cluster_that_stays_away_is_given_up(
    server: ClusterServer, api: ClusterApi, clock: Clock
) -> None:
    server.fault("GET builds/status/b", *[DROPPED] * 1000)
    with pytest.raises(ClusterError):
        follow_build(api, "b", ClusterProgress(Screen(io.StringIO())), clock.pause)
    assert 120.0 <= clock.now - 1000.0 <= 130.0


def test_pauses_grow_to_three_seconds(server: ClusterServer, api: ClusterApi, clock: Clock) -> None:
    server.job_states = deque([*[{"status": "active"}] * 30, {"status": "completed"}])
    follow_job(api, "j", ClusterProgress(Screen(io.StringIO())), clock.pause)
    assert clock.pauses[0] == 0.5
    assert clock.pauses == sorted(clock.pauses)
    assert clock.pauses[-1] == 3.0
