"""The messages between a producer and a consumer, as ZeroMQ frames.

What HKube's wrappers send (recorded from them):

| from | frames |
|---|---|
| consumer, asks | `01`, name of its node, `03` |
| consumer, has handled | `02`, name of its node, `{"duration": milliseconds}` |
| producer, message | `04`, rest of the flow, HKube's 8 bytes, payload |
| producer, none waits | `05` |

Names, flows and durations are in the encoding of DISCOVERY_ENCODING, without a header. The third
frame of a question is not looked at by HKube's producers: consumers of this wrapper put their
window there. A producer of this wrapper then adds the message's number as a fifth frame, or
answers `05` with a second frame: the window is open, messages will come without being asked for.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..errors import DecodingError
from ..protocol.encoding.encoding import Encoding
from .asking import WINDOW_BYTES, Ask, Handled
from .delivery import Window
from .queue import Piece

_ASK, _HANDLED, _MESSAGE, _NOTHING = b"\x01", b"\x02", b"\x04", b"\x05"
_ASK_END = b"\x03"
# Behind HKube's `03`, a zero byte keeps this apart from whatever HKube may add.
_EXTENSION = b"\x03\x00"
_WINDOW_OPEN = b"\x03\x00open"
_HANDLED_NUMBERED = struct.Struct("!BBQd")  # 03 01, number, milliseconds
_NUMBER = struct.Struct("!Q")
# A frame of a consumer: names are short, and there are 3 of them.
LONGEST_REQUEST = 64 * 1024


class Question(NamedTuple):
    """A consumer asks.

    Attributes:
        name: of its node, encoded.
        window: None: it takes one message and asks again.
        in_hand: numbers of messages that it has not handled yet.
    """

    name: bytes
    window: Window | None
    in_hand: tuple[int, ...]


class Report(NamedTuple):
    """A consumer has handled a message.

    Attributes:
        number: the message's; None: the consumer has no window.
        milliseconds: as the consumer measured them.
    """

    number: int | None
    milliseconds: float


class StreamedMessage(NamedTuple):
    """A message from a parent.

    Attributes:
        number: the producer's; None: it speaks no windows.
    """

    flow: Piece
    header: Piece
    payload: Piece
    number: int | None


class Nothing(NamedTuple):
    """The parent has no message.

    Attributes:
        has_window: it took the window.
    """

    has_window: bool


class WireError(Exception):
    """The other side sent something that is not of this protocol."""


def encode_plain(value: Any, encoding: Encoding) -> bytes:
    """A name, a flow or a report, as HKube's wrappers write them: without header or envelope."""
    from ..storage.format.encoded import encode_value

    return bytes(encode_value(value, encoding.name, "frame").payload)


def decode_plain(data: Piece, encoding: Encoding) -> Any:
    """The value of such a frame.

    Raises:
        WireError: it cannot be decoded.
    """
    try:
        value = encoding.decode(data)
    except DecodingError as error:
        raise WireError(f"a frame cannot be decoded: {error}") from None
    if encoding.name == "bson" and isinstance(value, dict) and list(value) == ["data"]:
        return value["data"]
    return value


# ------------------------------------------------------------------- the consumer's side --
def question_frames(name: bytes, ask: Ask) -> list[Piece]:
    """The frames that ask a parent.

    Args:
        name: of this node, encoded.
    """
    window = {"v": 1, "credits": ask.credits, "bytes": WINDOW_BYTES, "inHand": ask.in_hand}
    return [_ASK, name, _EXTENSION + json.dumps(window, separators=(",", ":")).encode()]


def plain_question_frames(name: bytes) -> list[Piece]:
    """The frames that ask for one message, as HKube's wrappers do.

    Args:
        name: of this node, encoded.
    """
    return [_ASK, name, _ASK_END]


def handled_frames(name: bytes, handled: Handled, encoding: Encoding) -> list[Piece]:
    """The frames that report a message as handled."""
    if handled.number is None:
        return [_HANDLED, name, encode_plain({"duration": handled.milliseconds}, encoding)]
    third = _HANDLED_NUMBERED.pack(3, 1, handled.number, handled.milliseconds)
    return [_HANDLED, name, third]


def parse_answer(frames: Sequence[Piece]) -> StreamedMessage | Nothing:
    """What a producer sent.

    Raises:
        WireError: it is neither a message nor the news that there is none.
    """
    kind = bytes(frames[0])
    if kind == _MESSAGE and len(frames) in (4, 5):
        number = None
        if len(frames) == 5:
            if len(frames[4]) != _NUMBER.size:
                raise WireError("a message's number is not 8 bytes long")
            (number,) = _NUMBER.unpack(frames[4])
        return StreamedMessage(frames[1], frames[2], frames[3], number)
    if kind == _NOTHING and len(frames) in (1, 2):
        return Nothing(has_window=len(frames) == 2)
    raise WireError(f"an answer of {len(frames)} frames begins with {kind[:8].hex()}")


# ------------------------------------------------------------------- the producer's side --
def parse_request(frames: Sequence[Piece], encoding: Encoding) -> tuple[bytes, Question | Report]:
    """What a consumer sent, and the encoded name of its node.

    Raises:
        WireError: it is neither a question nor a report.
    """
    if len(frames) != 3:
        raise WireError(f"a request has {len(frames)} frames, not 3")
    kind, name, third = bytes(frames[0]), bytes(frames[1]), bytes(frames[2])
    if kind == _ASK:
        return name, _parse_question(name, third)
    if kind == _HANDLED:
        return name, _parse_report(third, encoding)
    raise WireError(f"a request begins with {kind[:8].hex()}")


def _parse_question(name: bytes, third: bytes) -> Question:
    if not third.startswith(_EXTENSION) or len(third) == len(_EXTENSION):
        return Question(name, None, ())
    try:
        window = json.loads(third[len(_EXTENSION) :])
        credit, size, in_hand = window["credits"], window["bytes"], window["inHand"]
        numbers = tuple(int(number) for number in in_hand)
        return Question(name, Window(int(credit), int(size)), numbers)
    except (ValueError, KeyError, TypeError):
        return Question(name, None, ())  # another extension: one message at a time always works


def _parse_report(third: bytes, encoding: Encoding) -> Report:
    if len(third) == _HANDLED_NUMBERED.size and third[:2] == b"\x03\x01":
        _, _, number, milliseconds = _HANDLED_NUMBERED.unpack(third)
        return Report(number, milliseconds)
    value = decode_plain(third, encoding)
    duration = value.get("duration") if isinstance(value, dict) else None
    return Report(None, float(duration) if isinstance(duration, (int, float)) else 0.0)


def message_frames(flow: Piece, header: Piece, payload: Piece, number: int | None) -> list[Piece]:
    """The frames of a message to a consumer."""
    frames = [_MESSAGE, flow, header, payload]
    if number is not None:
        frames.append(_NUMBER.pack(number))
    return frames


def nothing_frames(has_window: bool) -> list[Piece]:
    """The frames that say that no message waits."""
    return [_NOTHING, _WINDOW_OPEN] if has_window else [_NOTHING]
