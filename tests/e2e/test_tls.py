"""A debug connection over wss: the certificate is checked, and large messages arrive."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Serve
from .harness.certificates import Identity, make_identity

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
URL = "wss://127.0.0.1:{port}/hkube/debug/green-alg"


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    return make_identity(tmp_path)


def test_task_over_tls(serve: Serve, identity: Identity) -> None:
    settings = {"WORKER_SOCKET_URL": URL, "SSL_CERT_FILE": str(identity.certificate)}
    worker, _ = serve("one_argument", env=settings, tls=identity.context)
    assert worker.run("x") == "x"
    text = "y" * 10_000_000
    assert worker.run(text) == text
    worker.drop()
    worker.wait_connected(2)
    assert worker.run("z") == "z"


def test_untrusted_certificate_is_refused(serve: Serve, identity: Identity) -> None:
    settings = {"WORKER_SOCKET_URL": URL, "SSL_CERT_FILE": None}
    worker, wrapper = serve("one_argument", env=settings, tls=identity.context, connect=False)
    wrapper.wait_for_log("certificate")
    assert worker.connections == 0
    assert wrapper.is_running


def test_certificate_of_another_host_is_refused(serve: Serve, tmp_path: Path) -> None:
    other = make_identity(tmp_path, name="DNS:another.example")
    settings = {"WORKER_SOCKET_URL": URL, "SSL_CERT_FILE": str(other.certificate)}
    worker, wrapper = serve("one_argument", env=settings, tls=other.context, connect=False)
    wrapper.wait_for_log("certificate is not valid for '127.0.0.1'")
    assert worker.connections == 0
