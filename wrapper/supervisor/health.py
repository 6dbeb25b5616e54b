"""Is the supervisor's loop alive? A socket that the loop itself answers, and the probe that asks.

Asked for, and not told by itself: an idle container sleeps. The socket is an abstract one
(Linux), which needs no file, because the root file system may be read-only.
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


# An address has at most 108 bytes.
_LONGEST_NAME = 60
_PATIENCE = 3.0  # seconds; HEALTHCHECK and kubelet give the whole probe 5


class HealthSocket:
    """What the loop reads, and answers.

    Args:
        name: of the socket.

    Raises:
        OSError: there is another supervisor of this name in the container, or no such socket.
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
        """The file descriptor to wait on."""
        return self._socket.fileno()

    def answer(self) -> None:
        """Answer one probe."""
        try:
            _, asker = self._socket.recvfrom(1)
            if asker:
                self._socket.sendto(b"\1", asker)
        except OSError:
            pass  # it has gone, or does not read: its own matter

    def close(self) -> None:
        """Give the name back."""
        self._socket.close()


def address_of(name: str) -> bytes:
    """The socket's address, one for each container.

    The containers of a pod share their network and with it all abstract sockets, but never their
    mounts.
    """
    mounts = os.stat("/proc/self/ns/mnt").st_ino
    return b"\0%s.%d" % (name[:_LONGEST_NAME].encode(), mounts)


def open_health_socket(name: str, log: Log) -> HealthSocket | None:
    """The socket for probes; None, and a word in the log, if it cannot be had."""
    try:
        return HealthSocket(name)
    except OSError as error:
        log.warning(f"probes of this wrapper's health will fail: {error.strerror or error}")
        return None


def probe(name: str, patience: float = _PATIENCE) -> str:
    """Ask the supervisor of this container.

    Args:
        name: of its socket.
        patience: seconds to wait for the answer.

    Returns:
        What is wrong; empty: it is healthy.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.settimeout(patience)
        try:
            asking.bind(b"")  # the kernel finds a name for the answer
            asking.sendto(b"?", address_of(name))
            asking.recv(1)
        except TimeoutError:
            return f"the wrapper's loop has not answered for {patience:g} s"
        except ConnectionRefusedError:
            return "no wrapper serves in this container"
        except OSError as error:
            return f"the wrapper cannot be asked: {error.strerror or error}"
    return ""


def tell_health(environ: Mapping[str, str]) -> int:
    """`hkube-wrapper health`: say how the wrapper is; returns the exit code, 0 if it is well."""
    try:
        name = Config.from_environ(environ, os.getcwd()).health_socket
    except ConfigurationError as error:
        wrong = "; ".join(error.problems)
    else:
        wrong = probe(name) if name else "HKUBE_HEALTH_SOCKET is not set: there is nothing to ask"
    print(f"unhealthy: {wrong}" if wrong else "healthy")
    return 1 if wrong else 0
