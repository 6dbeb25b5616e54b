"""The environment."""

from __future__ import annotations

import pytest

from wrapper.config.environment import is_outside_hkube


@pytest.mark.parametrize(
    ("environ", "outside"),
    [
        ({}, True),
        ({"PATH": "/bin", "HKUBE_LOG_LEVEL": "debug"}, True),
        ({"ALGORITHM_TYPE": "a"}, False),
        ({"WORKER_SOCKET_PORT": "3001"}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False),
    ],
)
def test_outside_hkube(environ: dict[str, str], outside: bool) -> None:
    assert is_outside_hkube(environ) is outside
