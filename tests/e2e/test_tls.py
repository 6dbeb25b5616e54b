"""A debug connection over wss: the certificate is checked, and large messages arrive."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import Serve

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate")
URL = "wss://127.0.0.1:{port}/hkube/debug/green-alg"


class Identity(NamedTuple):
    """A server's certificate, and the file that makes a client trust it."""

    context: ssl.SSLContext
    certificate: Path


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    """A self-signed certificate for 127.0.0.1."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=worker", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Identity(context, certificate)


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
