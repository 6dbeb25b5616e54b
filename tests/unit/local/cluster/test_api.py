"""The calls of HKube's API, and answers in unexpected shapes."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cluster_server import ClusterServer, Reply
from wrapper.local.cluster.api import BuildState, ClusterApi, JobState, percent_of
from wrapper.local.cluster.errors import ClusterError
from wrapper.local.cluster.http_client import Body

FORM = Body(b"", "multipart/form-data", 0)


def test_ids_with_special_characters_are_one_part_of_the_path(
    server: ClusterServer, api: ClusterApi
) -> None:
    api.job_state("a/b?c:d#e%", 0)
    assert server.asked[0].path == "exec/status/a/b?c:d#e%"


def test_build_with_text_in_place_of_numbers(server: ClusterServer, api: ClusterApi) -> None:
    server.build_states = deque(
        [
            {"status": "active", "progress": "40.5"},
            {
                "status": "failed",
                "progress": None,
                "result": {"data": "…", "warnings": ["w1", "w2"], "errors": "no matching numpy"},
            },
        ]
    )
    assert api.build_state("b", 0) == BuildState("active", 40.5, "", "", "")
    assert api.build_state("b", 0) == BuildState("failed", None, "", "no matching numpy", "w1\nw2")


def test_job_that_failed_has_a_reason(server: ClusterServer, api: ClusterApi) -> None:
    server.job_states = deque(
        [
            {
                "status": "failed",
                "data": {"progress": 50, "details": "1/2"},
                "error": {"message": "x"},
            }
        ]
    )
    assert api.job_state("j", 0) == JobState("failed", 50.0, "1/2", "x")


@pytest.mark.parametrize("answer", [[], "text", 5, True])
def test_answer_that_is_no_object_is_refused(
    server: ClusterServer, api: ClusterApi, answer: Any
) -> None:
    server.fault("GET exec/status/j", Reply(200, answer))
    with pytest.raises(ClusterError, match="not an object: is this HKube's API"):
        api.job_state("j", 0)


@pytest.mark.parametrize("answer", [{}, {"jobId": None}, {"jobId": ""}, {"jobId": 5}])
def test_started_job_needs_an_id(server: ClusterServer, api: ClusterApi, answer: Any) -> None:
    server.fault("POST exec/raw", Reply(200, answer))
    with pytest.raises(ClusterError, match="holds no jobId"):
        api.execute("raw", {})


def test_error_inside_a_good_answer_is_an_error(server: ClusterServer, api: ClusterApi) -> None:
    refused = {"error": {"code": 400, "message": "type cannot be changed"}}
    server.fault("POST store/algorithms/apply", Reply(200, refused))
    with pytest.raises(ClusterError, match="refused the algorithm: type cannot be changed"):
        api.apply(FORM)


@pytest.mark.parametrize("versions", [[], {}, None, [None, {"buildId": "other"}], [{}]])
def test_version_of_a_build_may_be_missing(
    server: ClusterServer, api: ClusterApi, versions: Any
) -> None:
    server.versions = versions
    if versions is None:
        with pytest.raises(ClusterError):
            api.version_of_build("green", "green-b1")
    else:
        assert api.version_of_build("green", "green-b1") == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(json_values)
def test_percent_is_between_0_and_100_or_unknown(value: Any) -> None:
    percent = percent_of(value)
    assert percent is None or 0.0 <= percent <= 100.0
