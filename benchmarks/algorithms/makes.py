"""Returns a value of a given kind and size, which is made once."""

import os
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def make(kind: str, size: int) -> Any:
    """Return a value of about this many bytes in MessagePack."""
    if kind == "bytes":
        block = os.urandom(min(size, 1_000_000))
        return block * (size // len(block))
    if kind == "numpy":
        import numpy

        return numpy.random.default_rng(1).random(size // 9)
    text = "some text of a row, " * 5
    return [[number, number / 2, f"{number} {text}"] for number in range(size // 122)]


def start(args: dict[str, Any]) -> Any:
    """HKube's entry point."""
    kind, size = args["input"][0]
    return make(kind, size)
