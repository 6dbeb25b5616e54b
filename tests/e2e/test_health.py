"""`hkube-wrapper health`, which the image's HEALTHCHECK runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid

import pytest

from .conftest import Serve
from .harness.process import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")


def health(name: str) -> tuple[int, str]:
    """Return the exit code and the text."""
    done = subprocess.run(
        [sys.executable, "-m", "wrapper", "health"],
        cwd=REPOSITORY,
        env={**os.environ, "HKUBE_HEALTH_SOCKET": name},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def test_healthy_while_the_loop_runs(serve: Serve) -> None:
    name = f"hkube-test-{uuid.uuid4().hex[:12]}"
    session = serve("one_argument", env={"HKUBE_HEALTH_SOCKET": name})
    assert health(name) == (0, "healthy")

    session.wrapper.signal(signal.SIGSTOP)
    try:
        assert health(name) == (1, "unhealthy: the wrapper's loop has not answered for 3 s")
    finally:
        session.wrapper.signal(signal.SIGCONT)
    assert health(name) == (0, "healthy")
    session.wrapper.signal(signal.SIGTERM)
    session.wrapper.wait()

    assert health(name) == (1, "unhealthy: no wrapper is running in this container")


def test_occupied_health_name_does_not_prevent_serving(serve: Serve) -> None:
    name = f"hkube-test-{uuid.uuid4().hex[:12]}"
    serve("one_argument", env={"HKUBE_HEALTH_SOCKET": name})
    second = serve("one_argument", env={"HKUBE_HEALTH_SOCKET": name})

    assert second.worker.run(2) == 2
    assert "health probes of this wrapper will fail" in second.wrapper.stderr
