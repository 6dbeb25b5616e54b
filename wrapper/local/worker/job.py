"""The job that HKube's worker sends to an algorithm with `initialize`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .ids import random_id


def make_job(
    task_input: Sequence[Any], algorithm_name: str, node_name: str = "local"
) -> dict[str, Any]:
    """Return a job of the shape that HKube's worker sends.

    Args:
        task_input: the node's inputs, one item each.
        algorithm_name: name of the algorithm.
        node_name: name of the node in its pipeline.
    """
    trace = f"{random_id(16)}:{random_id(16)}:0:1"
    return {
        "useCache": False,
        "flatInput": None,
        "jobId": f"local:{random_id(8)}",
        "nodeName": node_name,
        "metrics": {"tensorboard": True},
        "ttl": 0,
        "retry": {"policy": "OnCrash", "limit": 3},
        "pipelineName": "local",
        "priority": 3,
        "kind": "batch",
        "algorithmName": algorithm_name,
        "parents": [],
        "childs": [],
        "info": {
            "savePaths": [node_name],
            "extraData": {},
            "lastRunResult": None,
            "rootJobId": None,
        },
        "spanId": {"uber-trace-id": trace},
        "taskId": random_id(8),
        "status": "creating",
        "input": list(task_input),
        "storage": {},
        "entranceTime": int(time.time() * 1000),
        "attempts": 0,
        "batchIndex": 0,
    }
