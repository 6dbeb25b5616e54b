"""Returns the unusual value that its input names."""

import datetime
import enum
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy


class Colour(enum.Enum):
    GREEN = "green"


@dataclass
class Point:
    x: int
    y: float


RESULTS = {
    "nan": [float("nan"), float("inf"), -float("inf"), 1.5],
    "bytes": {"items": [1, b"\x00\xff"]},
    "bytearray": bytearray(b"abc"),
    "set": {"items": [0, 1, 2, {3}]},
    "object": [{"deep": object()}],
    "function": {"f": print},
    "none": None,
    "zero": 0,
    "empty": "",
    "false": False,
    "tuple": (1, (2, 3)),
    "keys": {1: "a", None: "b", 2.5: "c"},
    "big_int": 2**80,
    "types": {
        "datetime": datetime.datetime(2026, 1, 2, 3, 4, 5),
        "date": datetime.date(2026, 1, 2),
        "uuid": uuid.UUID(int=7),
        "enum": Colour.GREEN,
        "dataclass": Point(1, 2.5),
        "path": Path("/a/b"),
    },
    "numpy": {
        "array": numpy.arange(6).reshape(2, 3),
        "scalar": numpy.float32(0.5),
        "nan": numpy.array([numpy.nan, 1.0]),
        "int": numpy.int64(7),
        "bool": numpy.bool_(True),
    },
    "surrogate": "bad \ud800 text",
}


def start(args, api):
    name = args["input"][0]
    if name == "cycle":
        ring = []
        ring.append(ring)
        return ring
    if name == "deep":
        value = []
        for _ in range(100_000):
            value = [value]
        return value
    if name == "generator":
        return (n for n in range(3))
    return RESULTS[name]
