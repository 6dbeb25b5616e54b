"""What the engine may use to run pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...worker.answers import AnswerTable, Cancelled, Failure, Reply, Result
from ...worker.storage import LocalStorage
from .algorithms import Algorithms
from .stored_pipelines import StoredPipelines


@dataclass(frozen=True)
class Resources:
    """What is available on this machine.

    Attributes:
        algorithms: the algorithms by name.
        environ: the base environment of processes.
        stored: the stored pipelines by name.
        answers: replies that take precedence over running anything.
        storage: the storage of mode v3; None to send inputs and results in messages.
    """

    algorithms: Algorithms
    environ: Mapping[str, str]
    stored: StoredPipelines = field(default_factory=dict)
    answers: AnswerTable = field(default_factory=AnswerTable)
    storage: LocalStorage | None = None

    @property
    def scripted(self) -> dict[str, Reply]:
        """The replies in place of algorithms, by the algorithm's name."""
        return {
            name: answer
            for name, answer in self.answers.algorithms.items()
            if isinstance(answer, (Result, Failure, Cancelled))
        }
