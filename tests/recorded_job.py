"""The data of `initialize`, as recorded from HKube's worker."""

from __future__ import annotations

from typing import Any


def recorded_job(**changes: Any) -> dict[str, Any]:
    """Return the recorded job.

    Args:
        changes: values that replace recorded ones.
    """
    job: dict[str, Any] = {
        "useCache": False,
        "flatInput": None,
        "jobId": "main:p19pa1nk",
        "nodeName": "green",
        "metrics": {"tensorboard": True},
        "ttl": 0,
        "retry": {"policy": "OnCrash", "limit": 3},
        "pipelineName": "simple",
        "priority": 3,
        "kind": "batch",
        "algorithmName": "green-alg",
        "parents": [],
        "childs": [],
        "info": {"savePaths": ["green"], "extraData": {}, "lastRunResult": None, "rootJobId": None},
        "spanId": {"uber-trace-id": "e4bd:2665:1cac:1"},
        "taskId": "oxl03zdv",
        "status": "creating",
        "input": [],
        "storage": {},
        "entranceTime": 1795290578603,
        "attempts": 0,
        "batchIndex": 0,
    }
    return job | changes
