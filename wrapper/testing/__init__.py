"""The pytest fixture ``hkube``, with which users test their algorithms without a cluster.

The pytest plugin is ``hkube_python_wrapper/_pytest_plugin.py``. Tests import this module for type
hints, as in ``def test_it(hkube: HKube)``; it does not need pytest.
"""

from __future__ import annotations

from ..local.worker.answers import Call, CallKind, Cancelled, Failure
from .hkube import HKube
from .outcome.outcome import AlgorithmFailed, Error, Outcome
from .outcome.spans import Span
from .sessions.abort import LastResort
from .streams.child_pod import SentMessage
from .streams.stream import Stream

__all__ = [
    "AlgorithmFailed",
    "Call",
    "CallKind",
    "Cancelled",
    "Error",
    "Failure",
    "HKube",
    "LastResort",
    "Outcome",
    "SentMessage",
    "Span",
    "Stream",
]
