"""What user code may know of the task it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """The ids of a task, as HKube gave them. What HKube did not tell is None.

    Attributes:
        job_id: of the pipeline's run.
        task_id: of this node's part in it.
        node_name: the node in the pipeline.
        algorithm_name: the algorithm that runs in the node.
        pipeline_name: the pipeline.
        kind: ``"batch"``, ``"stream"``...
        batch_index: place of this task in its batch, from 1; 0 or None where there is no batch.
        attempts: how often this task was begun before.
        info: the rest that HKube tells of the job (``extraData``, ``lastRunResult``,
            ``rootJobId``...), under HKube's own names.
    """

    job_id: str | None = None
    task_id: str | None = None
    node_name: str | None = None
    algorithm_name: str | None = None
    pipeline_name: str | None = None
    kind: str | None = None
    batch_index: int | None = None
    attempts: int | None = None
    info: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_data(cls, data: object) -> Job:
        """The job in the data of an ``initialize`` message; whatever the worker sent will do."""
        known: Mapping[str, Any] = data if isinstance(data, (dict, Mapping)) else {}
        info = known.get("info")
        return cls(
            job_id=_text(known.get("jobId")),
            task_id=_text(known.get("taskId")),
            node_name=_text(known.get("nodeName")),
            algorithm_name=_text(known.get("algorithmName")),
            pipeline_name=_text(known.get("pipelineName")),
            kind=_text(known.get("kind")),
            batch_index=_number(known.get("batchIndex")),
            attempts=_number(known.get("attempts")),
            info=dict(info) if isinstance(info, (dict, Mapping)) else {},
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
