"""The ids of a task, for user code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Job:
    """The ids of a task, as HKube sent them. Those that HKube did not send are None.

    Attributes:
        job_id: The id of the pipeline's run.
        task_id: The id of this task in the run.
        node_name: The node of the pipeline that this task runs.
        algorithm_name: The algorithm that runs in the node.
        pipeline_name: The name of the pipeline.
        kind: The kind of pipeline, such as ``"batch"`` or ``"stream"``.
        batch_index: The position of this task in its batch, from 1; 0 or None without a batch.
        attempts: How many times this task was started before.
        info: Everything else that HKube sends about the job (such as ``extraData``,
            ``lastRunResult`` and ``rootJobId``), under HKube's names.
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
        """Read the job from the data of an ``initialize`` message; accepts any value."""
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
