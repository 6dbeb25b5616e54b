"""What a peer's request is answered with."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...errors import DecodingError
from ...protocol.encoding.encoding import get_encoding
from ..format.encoded import encode_value
from ..format.header import make_header
from .held_results import HeldResults, KeptResult

MOST_TASKS = 10_000  # in a request

Part = bytes | bytearray | memoryview


class Answer(NamedTuple):
    """The answer to a request.

    Attributes:
        parts: A header and a payload for each task, in order.
        borrowed: The results that the parts belong to, to be given back after sending.
    """

    parts: list[Part]
    borrowed: list[KeptResult]


def answer_request(request: bytes | bytearray, encoding: str, held: HeldResults) -> Answer:
    """Answer a request with the results that it names, as far as they are held.

    Args:
        request: What the peer sent.
        encoding: `json`, `msgpack` or `bson`: the encoding of requests.
        held: The results.
    """
    try:
        message = get_encoding(encoding).decode(request)
    except DecodingError as error:
        return refusal(encoding, str(error))
    tasks = message.get("tasks") if isinstance(message, dict) else None
    if not isinstance(tasks, list):
        return refusal(encoding, "the request has no list of tasks")
    if len(tasks) > MOST_TASKS:
        return refusal(encoding, f"the request names more than {MOST_TASKS} tasks")
    missing = _error(encoding, "notAvailable", "taskId notAvailable")
    answer = Answer([], [])
    for task in tasks:
        kept = held.borrow(task) if isinstance(task, str) else None
        if kept is None:
            answer.parts.extend(missing)  # the peer then reads the storage
        else:
            answer.borrowed.append(kept)
            answer.parts.append(kept.result.header)
            answer.parts.append(kept.result.payload)
    return answer


def refusal(encoding: str, why: str) -> Answer:
    """Answer a request that is not served.

    Args:
        encoding: `json`, `msgpack` or `bson`.
        why: For the peer.
    """
    return Answer(_error(encoding, "unknown", why), [])


def _error(encoding: str, code: str, message: str) -> list[Any]:
    """Return the error that HKube's wrappers send in place of a result."""
    value = {"hkube_error": {"code": code, "message": message}}
    encoded = encode_value(value, encoding, "answer")
    return [encoded.header or make_header(False, encoding), encoded.payload]
