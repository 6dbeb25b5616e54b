"""The floor of the storage rows: packs a value and writes it.

``python plain_write.py ALGORITHMS KIND SIZE FOLDER``: for each line on stdin one write, for which
the seconds are printed.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

import msgpack


def main() -> None:
    """Write once for each request."""
    algorithms, kind, size, folder = sys.argv[1:]
    sys.path.insert(0, algorithms)
    value = importlib.import_module("makes").make(kind, int(size))
    print("ready", flush=True)
    for number, _ in enumerate(sys.stdin):
        begin = time.perf_counter()
        plain = value.tolist() if kind == "numpy" else value  # msgpack does not accept arrays
        packed = msgpack.packb(plain)
        del plain
        (Path(folder) / f"plain-{number % 2}").write_bytes(packed)
        del packed
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
