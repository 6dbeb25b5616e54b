"""Checks whether the supervisor's loop is alive: a socket that the loop answers, and its probe.

The loop answers only when it is asked, so an idle container sleeps. The socket is an abstract one
(Linux), which needs no file: the root file system may be read-only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..config.settings import Config
from ..errors import ConfigurationError

if TYPE_CHECKING:
    from ..log import Log


# The kernel allows 108 bytes for the whole address.
_LONGEST_NAME = 60
_PATIENCE = 3.0  # seconds; HEALTHCHECK and kubelet give the whole probe 5


class HealthSocket:
    """The socket that the loop reads and answers.

    Args:
        name: the socket's name.

    Raises:
        OSError: another supervisor in this container uses the name, or abstract sockets are not
            available.
    """

    def __init__(self, name: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(address_of(name))
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """Return the file descriptor to wait for."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Answer one probe."""
        try:
            _, asker = self._socket.recvfrom(1)
            if asker:
                self._socket.sendto(b"\1", asker)
        except OSError:
            pass  # the asker has gone, or does not read

    def close(self) -> None:
        """Release the name."""
        self._socket.close()


def address_of(name: str) -> bytes:
    """Return the socket's address, which is different in each container.

    The containers of a pod share their network, and with it all abstract sockets, but never their
    mount namespace.
    """
    mounts = os.stat("/proc/self/ns/mnt").st_ino
    return b"\0%s.%d" % (name[:_LONGEST_NAME].encode(), mounts)


def open_health_socket(name: str, log: Log) -> HealthSocket | None:
    """Open the socket for probes; if that fails, log a warning and return None."""
    try:
        return HealthSocket(name)
    except OSError as error:
        log.warning(f"health probes of this wrapper will fail: {error.strerror or error}")
        return None


def probe(name: str, patience: float = _PATIENCE) -> str:
    """Ask the supervisor of this container.

    Args:
        name: the name of its socket.
        patience: seconds to wait for the answer.

    Returns:
        What is wrong; empty if the supervisor is healthy.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience)
        try:
            asking.bind(b"")  # the kernel chooses an address for the answer
            asking.sendto(b"?", address_of(name))
            asking.recv(1)
        except TimeoutError:
            return f"the wrapper's loop has not answered for {patience:g} s"
        except ConnectionRefusedError:
            return "no wrapper is running in this container"
        except OSError as error:
            return f"cannot ask the wrapper: {error.strerror or error}"
    return ""


def print_health(environ: Mapping[str, str]) -> int:
    """Print whether the wrapper is healthy (`hkube-wrapper health`); return 0 if it is, else 1."""
    try:
        name = Config.from_environ(environ, os.getcwd()).health_socket
    except ConfigurationError as error:
        wrong = "; ".join(error.problems)
    else:
        wrong = (
            probe(name)
            if name
            else "HKUBE_HEALTH_SOCKET is not set, so the wrapper answers no probes"
        )
    print(f"unhealthy: {wrong}" if wrong else "healthy")
    return 1 if wrong else 0
