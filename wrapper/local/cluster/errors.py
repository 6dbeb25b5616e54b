"""The errors of commands that talk to a cluster."""

from __future__ import annotations

from ...errors import WrapperError


class ClusterError(WrapperError):
    """The cluster cannot be reached, or refuses a request; the message says why."""

    code = "ClusterError"


class UnsentRequest(ClusterError):
    """The cluster cannot be reached: nothing of the request was sent."""

    code = "ClusterUnreachable"


class LostAnswer(ClusterError):
    """The connection broke after the request was sent: it may have had its effect."""

    code = "ClusterAnswerLost"


class RefusedRequest(ClusterError):
    """The cluster answered with an error.

    Attributes:
        status: the HTTP status.
    """

    code = "ClusterRefused"

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class AccessError(WrapperError):
    """It is not clear which cluster is meant, or a settings file cannot be used."""

    code = "AccessError"
