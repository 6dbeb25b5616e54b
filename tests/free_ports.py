"""Ports for the servers of tests, apart from those of every other process that runs tests."""

from __future__ import annotations

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# Below the ports that the system assigns (32768 on Linux). A client that keeps trying to connect
# must not find another test's server, so a process uses ports in turn, and shares none of them.
_BLOCKS = 45
_SERVERS, _SERVERS_EACH = 10_000, 400
_PEERS, _PEERS_EACH = 28_000, 104


def _claim_block() -> tuple[int, IO[str] | None]:
    """Return a number that no other process has, and the locked file that claims it."""
    for number in range(_BLOCKS):
        name = f"hkube-test-ports-{os.getuid()}-{number}.lock"
        file = (Path(tempfile.gettempdir()) / name).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
        else:
            return number, file
    return os.getpid() % _BLOCKS, None


def _cycle(first: int, count: int, step: int = 1) -> Iterator[int]:
    begin = first + _block * count
    return itertools.cycle(range(begin, begin + count, step))


_block, _claim = _claim_block()
server_ports = _cycle(_SERVERS, _SERVERS_EACH)
_peer_ports = _cycle(_PEERS, _PEERS_EACH, 2)


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free, as is the next one, which peers use for pings."""
    while True:
        port = next(_peer_ports)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
