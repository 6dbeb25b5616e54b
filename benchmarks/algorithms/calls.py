"""Make a number of code-API calls in sequence; return the seconds that each took."""

import time
from typing import Any


def start(args: dict[str, Any], hkube_api: Any) -> list[float]:
    """HKube's entry point."""
    durations = []
    for _ in range(args["input"][0]):
        begin = time.perf_counter()
        hkube_api.start_algorithm("green-alg", [1])
        durations.append(time.perf_counter() - begin)
    return durations
