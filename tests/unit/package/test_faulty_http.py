"""The faulty HTTP service of other tests shuts down, even with open connections."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread

import pytest
import trustme

from tests.faulty_http import FaultyHttp


@pytest.mark.parametrize("is_secure", [False, True])
def test_silent_client_does_not_delay_the_shutdown(is_secure: bool) -> None:
    certificate = trustme.CA().issue_cert("127.0.0.1") if is_secure else None
    service = FaultyHttp(certificate)
    port = int(service.url.rpartition(":")[2])

    def use() -> None:
        with service, socket.create_connection(("127.0.0.1", port)):
            # The service answers the second connection, so it has accepted the first.
            with socket.create_connection(("127.0.0.1", port)) as second:
                second.sendall(b"no request\r\n\r\n")
                second.settimeout(20)
                with suppress(ConnectionError):
                    second.recv(1000)
            ended.append(True)

    ended: list[bool] = []
    user = Thread(target=use, daemon=True)
    user.start()
    user.join(30)
    assert ended and not user.is_alive()
