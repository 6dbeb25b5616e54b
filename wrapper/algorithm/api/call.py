"""One call of HKubeApi that waits for HKube's answer, and what its errors are."""

from __future__ import annotations

import os
from itertools import count
from typing import NamedTuple

from ...errors import (
    AlgorithmExecutionError,
    CallError,
    DataSourceError,
    SubPipelineError,
    SubPipelineStopped,
)

# Ids are unique over all tasks, so that a late answer to an old task's call matches no new one;
# with the process id in them, because the worker outlives an algorithm process that was killed.
_numbers = count(1)


class CallFamily(NamedTuple):
    """What calls of one sort have in common.

    Attributes:
        noun: what is waited for.
        failed: raised when HKube answers with an error.
        stopped: raised when it was stopped.
    """

    noun: str
    failed: type[CallError]
    stopped: type[CallError]


SUB_PIPELINE = CallFamily("sub-pipeline", SubPipelineError, SubPipelineStopped)
ALGORITHM = CallFamily("algorithm", AlgorithmExecutionError, AlgorithmExecutionError)
DATA_SOURCE = CallFamily("data source", DataSourceError, DataSourceError)


class ApiCall(NamedTuple):
    """One call that waits.

    Attributes:
        id: what HKube's answer refers to.
        family: what is waited for.
        name: the pipeline's or the algorithm's; empty if it has none.
        include_result: whether the caller wants the result, or only the end.
    """

    id: str
    family: CallFamily
    name: str = ""
    include_result: bool = True

    @property
    def title(self) -> str:
        """What is waited for, in words."""
        return f"{self.family.noun} {self.name!r}" if self.name else self.family.noun

    def __str__(self) -> str:
        return f"{self.title} (id {self.id})"


def next_call_id() -> str:
    """An id that no other call has."""
    return f"{os.getpid()}-{next(_numbers)}"
