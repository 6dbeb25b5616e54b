"""The job that HKube's worker would send to an algorithm for a task of a pipeline."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from ...worker.job import make_job
from ..descriptor.descriptor import Node, Pipeline
from ..events import Path
from ..run.actions import StartTask

MAX_DEPTH = 10
"""How many levels of runs may start each other: each level has processes that wait."""


@dataclass(frozen=True)
class Place:
    """Where a run belongs.

    Attributes:
        path: the path in its events.
        root_job_id: the job id of the outermost run; None for that run itself.
        job_id: its own job id.
    """

    path: Path = ()
    root_job_id: str | None = None
    job_id: str = field(default_factory=lambda: f"local:{secrets.token_hex(4)}")

    @property
    def depth(self) -> int:
        """How many runs wait for it, directly or indirectly."""
        return len(self.path) // 2

    def below(self, node: str, called: str) -> Place:
        """Return the place of a run that a node's task in this run has started."""
        return Place((*self.path, node, called), self.root_job_id or self.job_id)


def task_job(pipeline: Pipeline, place: Place, start: StartTask, task_id: str) -> dict[str, Any]:
    """Return the data of the `initialize` message for a task."""
    node = start.node
    children = pipeline.children_of(node.name)
    job = make_job(start.inputs, node.algorithm, node.name)
    return job | {
        "jobId": place.job_id,
        "taskId": task_id,
        "metrics": dict(node.metrics),
        "ttl": node.ttl,
        "retry": {"policy": node.retry.policy, "limit": node.retry.limit},
        "pipelineName": pipeline.name,
        "priority": pipeline.priority,
        "parents": list(node.parents),
        "childs": [child.name for child in children],
        "info": {
            "savePaths": _save_paths(node, children),
            "extraData": dict(node.extra_data),
            "lastRunResult": None,
            "rootJobId": place.root_job_id,
        },
        "attempts": start.attempts,
        "batchIndex": start.batch_index,
    }


def _save_paths(node: Node, children: tuple[Node, ...]) -> list[str]:
    """Return the parts of a node's result that its children refer to."""
    used = (
        reference.place
        for child in children
        for reference in child.references
        if reference.name == node.name
    )
    return list(dict.fromkeys((node.name, *used)))
