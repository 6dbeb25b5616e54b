"""The calls of HKube's API that the commands use."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final
from urllib.parse import quote

from .errors import ClusterError, RefusedRequest
from .http_client import Body, HttpClient
from .login import Login

ENDED = frozenset({"completed", "failed", "stopped"})
"""The states that a build or a job does not leave."""
COMPLETED = "completed"


@dataclass(frozen=True)
class AppliedAlgorithm:
    """The cluster's answer to an algorithm.

    Attributes:
        messages: what it did, in its own words.
        build_id: the build that it began; empty if it builds nothing.
        version: the id of the algorithm's version; empty if it has none yet. That of a build is
            made when the build ends.
    """

    messages: tuple[str, ...]
    build_id: str
    version: str


@dataclass(frozen=True)
class BuildState:
    """How far a build is.

    Attributes:
        status: one of HKube's words, such as `active` or `completed`.
        percent: 0 to 100; None if it is not known.
        image: the image, once it is built.
        errors: what the builder reports as errors.
        warnings: what the builder reports as warnings.
    """

    status: str
    percent: float | None
    image: str
    errors: str
    warnings: str


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Attributes:
        status: one of HKube's words, such as `active` or `completed`.
        percent: 0 to 100; None if it is not known.
        details: how many tasks are in which state, in HKube's words.
        error: why it failed; empty if it did not.
    """

    status: str
    percent: float | None
    details: str
    error: str


@final
class ClusterApi:
    """HKube's API, with a login where the cluster asks for one."""

    def __init__(self, http: HttpClient, login: Login) -> None:
        """Prepare the calls.

        Args:
            http: sends the requests.
            login: gives the token.
        """
        self._http = http
        self._login = login

    def apply(self, body: Body) -> AppliedAlgorithm:
        """Create or change an algorithm.

        Args:
            body: the form with its description and its code.

        Raises:
            ClusterError: the cluster refuses it, or does not answer.
        """
        answer = _object(self._post("store/algorithms/apply", body))
        if answer.get("error"):
            raise ClusterError(f"the cluster refused the algorithm: {_text_of(answer['error'])}")
        messages = answer.get("messages")
        algorithm = answer.get("algorithm")
        version = algorithm.get("version") if isinstance(algorithm, dict) else None
        return AppliedAlgorithm(
            messages=tuple(map(str, messages)) if isinstance(messages, list) else (),
            build_id=str(answer.get("buildId") or ""),
            version=str(version or ""),
        )

    def build_state(self, build_id: str, patience: float) -> BuildState:
        """Ask how far a build is.

        Args:
            build_id: the build.
            patience: seconds to go on asking while the cluster does not answer.

        Raises:
            ClusterError: the cluster does not answer, or knows no such build.
        """
        answer = _object(self._get(f"builds/status/{quote(build_id, safe='')}", patience))
        result = answer.get("result")
        result = result if isinstance(result, dict) else {}
        return BuildState(
            status=str(answer.get("status") or "pending"),
            percent=percent_of(answer.get("progress")),
            image=str(answer.get("algorithmImage") or ""),
            errors=_text_of(result.get("errors") or answer.get("error")),
            warnings=_text_of(result.get("warnings")),
        )

    def version_of_build(self, name: str, build_id: str) -> str:
        """Return the id of the version that a build made; empty if there is none."""
        answer = self._get(f"versions/algorithms/{quote(name, safe='')}", 0.0)
        for each in answer if isinstance(answer, list) else ():
            if isinstance(each, dict) and each.get("buildId") == build_id:
                return str(each.get("version") or "")
        return ""

    def make_current(self, name: str, version: str) -> None:
        """Make a version the one that new tasks run."""
        body = {"name": name, "version": version, "force": True}
        self._post("versions/algorithms/apply", Body.of_json(body))

    def execute(self, kind: str, request: Mapping[str, Any]) -> str:
        """Start a job.

        Args:
            kind: `algorithm`, `stored` or `raw`.
            request: what to run.

        Returns:
            The job's id.

        Raises:
            ClusterError: the cluster refuses it, or does not answer.
        """
        answer = _object(self._post(f"exec/{kind}", Body.of_json(dict(request))))
        job_id = answer.get("jobId")
        if not isinstance(job_id, str) or not job_id:
            raise ClusterError(f"exec/{kind}: the cluster's answer holds no jobId")
        return job_id

    def job_state(self, job_id: str, patience: float) -> JobState:
        """Ask how far a job is; the arguments are those of `build_state`."""
        answer = _object(self._get(f"exec/status/{quote(job_id, safe='')}", patience))
        data = answer.get("data")
        data = data if isinstance(data, dict) else {}
        return JobState(
            status=str(answer.get("status") or "pending"),
            percent=percent_of(data.get("progress")),
            details=_text_of(data.get("details")),
            error=_text_of(answer.get("error")),
        )

    def job_result(self, job_id: str) -> dict[str, Any]:
        """Return what a job that has ended left: its data, status and error."""
        return _object(self._get(f"exec/results/{quote(job_id, safe='')}", 10.0))

    def stop(self, job_id: str, reason: str) -> None:
        """Stop a job."""
        self._post("exec/stop", Body.of_json({"jobId": job_id, "reason": reason}))

    def _get(self, path: str, patience: float) -> Any:
        try:
            return self._http.get(path, self._login.headers(), patience)
        except RefusedRequest as error:
            self._renew(error)
        return self._http.get(path, self._login.headers(), patience)

    def _post(self, path: str, body: Body) -> Any:
        try:
            return self._http.post(path, body, self._login.headers())
        except RefusedRequest as error:
            self._renew(error)
        # A request without a valid token has no effect, so it is safe to repeat.
        return self._http.post(path, body, self._login.headers())

    def _renew(self, error: RefusedRequest) -> None:
        """Prepare another try with a new token, or raise the error with advice."""
        if error.status != 401:
            raise error
        if not self._login.can_renew:
            advice = (
                "the token is not valid, or has expired: get another, or put username and password "
                "into .hkuberc"
                if self._login.headers()
                else "the cluster asks for an account: put username and password into .hkuberc, "
                "or use --token"
            )
            raise RefusedRequest(f"{advice} ({error})", error.status) from error
        self._login.forget()


def percent_of(value: Any) -> float | None:
    """Return a progress as a number: HKube writes numbers, and text such as `40.0`."""
    try:
        percent = float(value)
    except (TypeError, ValueError):
        return None
    return min(100.0, max(0.0, percent)) if math.isfinite(percent) else None


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ClusterError("the cluster's answer is not an object: is this HKube's API?")
    return answer


def _text_of(value: Any) -> str:
    if isinstance(value, dict):
        return _text_of(value.get("message") or value.get("error") or str(value))
    if isinstance(value, list):
        return "\n".join(map(_text_of, value))
    return "" if value is None else str(value)
