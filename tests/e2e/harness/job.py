"""The jobs of the scripted worker."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from tests.recorded_job import recorded_job

_numbers = itertools.count(1)


def new_job(inputs: list[Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job with a new task id.

    Args:
        inputs: the job's `input`.
        changes: values that replace recorded ones.
    """
    return recorded_job(taskId=f"task-{next(_numbers)}", input=inputs) | dict(changes)
