"""Works for 20 ms without a CPU, so that as many run at once as the pipeline lets."""

import time
from typing import Any


def start(args: dict[str, Any], hkube_api: Any) -> Any:
    """HKube's entry point."""
    time.sleep(0.02)
    return args["input"][0]
