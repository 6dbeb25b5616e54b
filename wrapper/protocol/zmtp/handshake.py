"""How a ZMTP connection begins: the greeting, and the READY command of the NULL mechanism.

Source: ZMTP 3.1, "Greeting" and "The NULL Security Mechanism".
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from .frames import GREETING_SIZE, Piece, ZmtpError, command_bytes

DEALER, ROUTER, REQ, REP = "DEALER", "ROUTER", "REQ", "REP"
# Which socket types may talk to each other, as far as this project uses them.
PARTNERS = {
    DEALER: frozenset((ROUTER, DEALER, REP)),
    ROUTER: frozenset((DEALER, ROUTER, REQ)),
    REQ: frozenset((REP, ROUTER)),
    REP: frozenset((REQ, DEALER)),
}

_SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
_MECHANISM = b"NULL".ljust(20, b"\0")
_VALUE_LENGTH = struct.Struct("!I")

GREETING = (_SIGNATURE + b"\x03\x00" + _MECHANISM).ljust(GREETING_SIZE, b"\0")


class Ready(NamedTuple):
    """What a peer says of itself.

    Attributes:
        socket_type: ``DEALER``, ``ROUTER``...
        identity: how a ROUTER tells its peers apart; may be empty.
    """

    socket_type: str
    identity: bytes


def check_greeting(greeting: Piece) -> None:
    """Check the peer's greeting.

    Raises:
        ZmtpError: another protocol, an older ZMTP, or a mechanism with authentication.
    """
    data = bytes(greeting)
    if data[:1] != _SIGNATURE[:1] or data[9:10] != _SIGNATURE[9:]:
        raise ZmtpError("the peer does not speak ZMTP")
    if data[10] < 3:
        raise ZmtpError(f"the peer speaks ZMTP {data[10]}, which is too old: 3 is needed")
    mechanism = data[12:32].rstrip(b"\0")
    if mechanism != b"NULL":
        name = mechanism.decode("ascii", "replace")
        raise ZmtpError(f"the peer asks for the security mechanism {name}, which is not supported")


def ready_command(ready: Ready) -> bytes:
    """The READY command, as a frame."""
    body = b"\x05READY" + _property("Socket-Type", ready.socket_type.encode("ascii"))
    return command_bytes(body + _property("Identity", ready.identity))


def parse_ready(body: Piece) -> Ready:
    """Read a peer's READY command.

    Args:
        body: of the command frame.

    Raises:
        ZmtpError: it is an ERROR or another command, or is malformed.
    """
    name, rest = split_command(body)
    if name == b"ERROR":
        reason = rest[1 : 1 + rest[0]].decode("utf-8", "replace") if rest else ""
        raise ZmtpError(f"the peer refused the connection: {reason or 'no reason given'}")
    if name != b"READY":
        raise ZmtpError(f"the peer sent {name.decode('ascii', 'replace')!r} in place of READY")
    properties = _parse_properties(rest)
    socket_type = properties.get("socket-type", b"").decode("ascii", "replace")
    return Ready(socket_type, properties.get("identity", b""))


def split_command(body: Piece) -> tuple[bytes, bytes]:
    """A command's name and the rest of it.

    Raises:
        ZmtpError: the name is longer than the command.
    """
    data = bytes(body)
    if not data or len(data) < 1 + data[0]:
        raise ZmtpError("the peer sent a malformed command")
    return data[1 : 1 + data[0]], data[1 + data[0] :]


def _property(name: str, value: bytes) -> bytes:
    return bytes((len(name),)) + name.encode("ascii") + _VALUE_LENGTH.pack(len(value)) + value


def _parse_properties(data: bytes) -> dict[str, bytes]:
    properties: dict[str, bytes] = {}
    at = 0
    while at < len(data):
        name_end = at + 1 + data[at]
        value_start = name_end + _VALUE_LENGTH.size
        if value_start > len(data):
            raise ZmtpError("the peer's READY command is cut short")
        (length,) = _VALUE_LENGTH.unpack_from(data, name_end)
        if value_start + length > len(data):
            raise ZmtpError("the peer's READY command is cut short")
        # Names are compared without regard to case, says the specification.
        name = data[at + 1 : name_end].decode("ascii", "replace").lower()
        properties[name] = data[value_start : value_start + length]
        at = value_start + length
    return properties
