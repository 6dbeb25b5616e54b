"""What the engine may use to run pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...worker.answers import AnswerTable, Cancelled, Failure, Reply, Result
from ...worker.storage import LocalStorage
from .algorithms import Algorithms, Stored


@dataclass(frozen=True)
class AtHand:
    """What is at hand on this machine.

    Attributes:
        algorithms: the algorithms by name.
        stored: the stored pipelines by name.
        answers: replies that go before all of these.
        environ: the environment that processes start from.
        storage: of mode v3; None: inputs and results are in the messages.
    """

    algorithms: Algorithms
    environ: Mapping[str, str]
    stored: Stored = field(default_factory=dict)
    answers: AnswerTable = field(default_factory=AnswerTable)
    storage: LocalStorage | None = None

    @property
    def scripted(self) -> dict[str, Reply]:
        """What algorithms answer that are not to be run at all."""
        return {
            name: answer
            for name, answer in self.answers.algorithms.items()
            if isinstance(answer, (Result, Failure, Cancelled))
        }
