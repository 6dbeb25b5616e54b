"""Certificates for servers of tests, made by openssl."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Identity(NamedTuple):
    """A server's certificate, and the file that makes a client trust it."""

    context: ssl.SSLContext
    certificate: Path


def make_identity(folder: Path, name: str = "IP:127.0.0.1") -> Identity:
    """Return a self-signed certificate.

    Args:
        folder: where its files go.
        name: whose it is, as a subjectAltName.
    """
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    names = ["-subj", "/CN=worker", "-addext", f"subjectAltName={name}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return Identity(context, certificate)
