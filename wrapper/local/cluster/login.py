"""The token for a cluster whose API asks for an account."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

from .access import ClusterAccess
from .errors import ClusterError, RefusedRequest
from .http_client import Body, HttpClient

LOGIN_PATH = "auth/login"
_MARGIN = 10.0
"""Seconds before its end from which a token is not used any more."""
_LIFETIME = 60.0
"""Seconds, if the cluster does not say: Keycloak's default."""


@final
class Login:
    """Logs in when a token is needed, and again when it has expired."""

    def __init__(
        self, access: ClusterAccess, http: HttpClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare a login.

        Args:
            access: the account, or a token that the user has.
            http: sends the request.
            clock: returns seconds.
        """
        self._access = access
        self._http = http
        self._clock = clock
        self._token = access.token
        self._expires = float("inf")
        self._asks = bool(access.username)

    @property
    def can_renew(self) -> bool:
        """Whether a refused token can be replaced."""
        return bool(self._access.username)

    def headers(self) -> dict[str, str]:
        """Return the headers that show who asks.

        Raises:
            ClusterError: the account was refused, or the cluster cannot be reached.
        """
        if self._asks and (not self._token or self._clock() >= self._expires - _MARGIN):
            self._log_in()
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def forget(self) -> None:
        """Log in again before the next request: the token was refused."""
        self._token, self._asks = "", True

    def _log_in(self) -> None:
        account = {"username": self._access.username, "password": self._access.password}
        try:
            answer = self._http.post(LOGIN_PATH, Body.of_json(account), {})
        except RefusedRequest as error:
            if error.status == 404:  # a cluster without Keycloak: nobody asks who we are
                self._asks = False
                return
            if error.status in (400, 401, 403):
                raise RefusedRequest(
                    f"the account '{self._access.username}' in {self._access.origin} was refused: "
                    f"{error}",
                    error.status,
                ) from error
            raise
        data = answer.get("data") if isinstance(answer, dict) else None
        data = data if isinstance(data, dict) else answer
        token = data.get("access_token") or data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise ClusterError(f"{LOGIN_PATH}: the cluster's answer holds no token")
        self._token = token
        try:
            self._expires = self._clock() + float(data.get("expires_in") or _LIFETIME)
        except (TypeError, ValueError):
            self._expires = self._clock() + _LIFETIME
