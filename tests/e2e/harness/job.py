"""The data of `initialize`, as it was recorded from the real worker."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

_numbers = itertools.count(1)


def new_job(inputs: list[Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A job with a task id of its own.

    Args:
        inputs: the job's `input`.
        changes: what is to be other than recorded.
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
        "taskId": f"task-{next(_numbers)}",
        "status": "creating",
        "input": inputs,
        "storage": {},
        "entranceTime": 1795290578603,
        "attempts": 0,
        "batchIndex": 0,
    }
    job.update(changes)
    return job
