"""A call of HKubeApi that waits for HKube's answer, and the errors it can raise."""

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

# Ids are unique across tasks, so that a late answer to an old task's call never matches a new one.
# They hold the process id because the worker outlives an algorithm process that was killed.
_numbers = count(1)


class CallFamily(NamedTuple):
    """The properties that all calls of one kind share.

    Attributes:
        noun: what the call runs or fetches, in words.
        failed: raised when HKube answers with an error.
        stopped: raised when HKube answers that it was stopped.
    """

    noun: str
    failed: type[CallError]
    stopped: type[CallError]


SUB_PIPELINE = CallFamily("sub-pipeline", SubPipelineError, SubPipelineStopped)
ALGORITHM = CallFamily("algorithm", AlgorithmExecutionError, AlgorithmExecutionError)
DATA_SOURCE = CallFamily("data source", DataSourceError, DataSourceError)


class ApiCall(NamedTuple):
    """A call that waits for an answer.

    Attributes:
        id: the id that HKube's answer refers to.
        family: the kind of call.
        name: the name of the pipeline or algorithm; may be empty.
        include_result: whether the caller wants the result, or only to wait for the end.
    """

    id: str
    family: CallFamily
    name: str = ""
    include_result: bool = True

    @property
    def title(self) -> str:
        """Name what the call waits for, in words."""
        return f"{self.family.noun} {self.name!r}" if self.name else self.family.noun

    def __str__(self) -> str:
        return f"{self.title} (id {self.id})"


def next_call_id() -> str:
    """Return an id that no other call has."""
    return f"{os.getpid()}-{next(_numbers)}"
