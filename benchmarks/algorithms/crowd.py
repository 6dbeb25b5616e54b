"""Make rounds of calls from 100 threads; return the total seconds per call."""

import threading
import time
from typing import Any

THREADS = 100


def start(args: dict[str, Any], hkube_api: Any) -> float:
    """HKube's entry point; the start of the threads is not timed."""
    rounds = args["input"][0]
    ready = threading.Barrier(THREADS + 1)

    def call() -> None:
        ready.wait()
        for _ in range(rounds):
            hkube_api.start_algorithm("green-alg", [1])

    threads = [threading.Thread(target=call) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    ready.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - begin) / (THREADS * rounds)
