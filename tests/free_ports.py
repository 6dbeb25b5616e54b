"""Free ports for servers of peers, which use one port for results and the next one for pings."""

from __future__ import annotations

import itertools
import os
import socket

# Below the ports that the system assigns, apart from those of the scripted workers, with a separate
# range for each process of pytest-xdist.
_EACH = 600
_FIRST = 28_000 + _EACH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
_ports = itertools.cycle(range(_FIRST, _FIRST + _EACH, 2))


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, as is the next one."""
    while True:
        port = next(_ports)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
