"""For users' own tests: the pytest fixture `hkube`, which runs an algorithm with no cluster.

The plugin itself is `hkube_python_wrapper/_pytest_plugin.py`; what is here is for type hints
(`def test_it(hkube: HKube)`), and does not need pytest.
"""

from __future__ import annotations

from ..local.worker.answers import Call, CallKind, Cancelled, Failure
from .hkube import HKube
from .outcome.outcome import AlgorithmFailed, Error, Outcome
from .outcome.spans import Span
from .sessions.abort import LastResort

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
    "Span",
]
