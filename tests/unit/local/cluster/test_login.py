"""Who asks: no account, an account, a token, and tokens that expire."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.cluster_server import ClusterServer, Reply
from wrapper.local.cluster.access import ClusterAccess
from wrapper.local.cluster.api import ClusterApi
from wrapper.local.cluster.errors import ClusterError, RefusedRequest
from wrapper.local.cluster.http_client import HttpClient
from wrapper.local.cluster.login import Login

from .conftest import Clock

LOGIN = "POST auth/login"
STATUS = "GET exec/status/j"


@pytest.fixture
def api(access: ClusterAccess, http: HttpClient, clock: Clock) -> ClusterApi:
    """Return the calls of somebody with an account."""
    known = replace(access, username="ann", password="secret", origin="/home/ann/.hkuberc")
    return ClusterApi(http, Login(known, http, clock))


def test_account_is_turned_into_a_token_once(server: ClusterServer, api: ClusterApi) -> None:
    server.account = ("ann", "secret")
    for _ in range(3):
        assert api.job_state("j", 0).status == "completed"
    assert len(server.requests(LOGIN)) == 1
    assert server.requests(STATUS)[-1].headers["authorization"] == "Bearer token-1"


def test_token_is_renewed_before_it_expires(
    server: ClusterServer, api: ClusterApi, clock: Clock
) -> None:
    server.account = ("ann", "secret")
    api.job_state("j", 0)
    clock.now += 49.0
    api.job_state("j", 0)
    assert len(server.requests(LOGIN)) == 1
    clock.now += 2.0  # less than ten seconds are left of the sixty
    server.tokens.clear()
    api.job_state("j", 0)
    assert [each.headers["authorization"] for each in server.requests(STATUS)] == [
        *("Bearer token-1", "Bearer token-1", "Bearer token-2")
    ]


def test_refused_token_is_renewed_and_the_request_repeated_once(
    server: ClusterServer, api: ClusterApi
) -> None:
    server.account = ("ann", "secret")
    api.job_state("j", 0)
    server.tokens.clear()  # expired earlier than the cluster said
    assert api.execute("stored", {"name": "p"}) == "green:job-1.green"
    assert len(server.requests("POST exec/stored")) == 2
    assert len(server.requests(LOGIN)) == 2


def test_new_token_that_is_refused_too_is_the_end(server: ClusterServer, api: ClusterApi) -> None:
    server.account = ("ann", "secret")
    server.fault(STATUS, *[Reply(401, {"error": {"message": "no role"}})] * 10)
    with pytest.raises(RefusedRequest, match="no role"):
        api.job_state("j", 120.0)
    assert len(server.requests(STATUS)) == 2


def test_wrong_password_names_the_account_and_the_file(
    server: ClusterServer, api: ClusterApi
) -> None:
    server.account = ("ann", "other")
    with pytest.raises(RefusedRequest, match=r"'ann' in /home/ann/\.hkuberc was refused") as caught:
        api.job_state("j", 0)
    assert "Invalid user credentials" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_cluster_without_a_login_is_asked_without_a_token(
    server: ClusterServer, api: ClusterApi
) -> None:
    for _ in range(2):
        api.job_state("j", 0)
    assert len(server.requests(LOGIN)) == 1
    assert "authorization" not in server.requests(STATUS)[-1].headers


@pytest.mark.parametrize("answer", [{}, [], {"data": {"access_token": 5}}, {"data": None}])
def test_login_without_a_token_in_its_answer(
    server: ClusterServer, api: ClusterApi, answer: object
) -> None:
    server.fault(LOGIN, Reply(200, answer))
    with pytest.raises(ClusterError, match="holds no token"):
        api.job_state("j", 0)


def test_unusable_lifetime_counts_as_a_minute(
    server: ClusterServer, api: ClusterApi, clock: Clock
) -> None:
    server.fault(LOGIN, Reply(200, {"data": {"access_token": "x", "expires_in": "soon"}}))
    api.job_state("j", 0)
    clock.now += 55.0
    api.job_state("j", 0)
    assert len(server.requests(LOGIN)) == 2


def test_expired_token_of_the_user_cannot_be_renewed(
    server: ClusterServer, access: ClusterAccess, http: HttpClient, clock: Clock
) -> None:
    server.account = ("ann", "secret")
    api = ClusterApi(http, Login(replace(access, token="old"), http, clock))
    with pytest.raises(RefusedRequest, match=r"not valid, or has expired: get another"):
        api.job_state("j", 0)
    assert server.requests(STATUS)[0].headers["authorization"] == "Bearer old"
    assert not server.requests(LOGIN)


def test_cluster_that_wants_an_account_says_how_to_give_one(
    server: ClusterServer, access: ClusterAccess, http: HttpClient, clock: Clock
) -> None:
    server.account = ("ann", "secret")
    api = ClusterApi(http, Login(access, http, clock))
    with pytest.raises(RefusedRequest, match=r"asks for an account: .*\.hkuberc"):
        api.job_state("j", 0)
