"""Makes the job of a run from the arguments of `hkube.run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...local.worker.job import make_job
from ...text.suggestions import did_you_mean, near_miss
from .wrong_use import WrongUse

IN_INFO = ("extraData", "lastRunResult", "rootJobId", "savePaths")
"""Arguments of `hkube.run` that the job holds in `args["info"]`."""

OWN = ("input", "isolated", "timeout")
STREAM_OWN = ("flows", "default_flow", "stateless", "buffer_mb")
"""Arguments of `hkube.stream` that `hkube.run` does not have."""


def job_of(
    task_input: Any,
    name: str,
    given: Mapping[str, Any],
    own: Sequence[str] = (),
    method: str = "run",
) -> dict[str, Any]:
    """Return the job: the data of an `initialize` message.

    Args:
        task_input: The node's inputs.
        name: Name of the algorithm.
        given: Other entries of the job, named as in `args` or in snake_case.
        own: The names of the method's arguments besides those of `run`, for suggestions.
        method: The method that was called.

    Raises:
        WrongUse: The inputs are not a list, or a job has no entry of that name.
    """
    if not isinstance(task_input, (list, tuple)):
        raise WrongUse(
            "input must be a list, as HKube gives a node its inputs: "
            f"perhaps input=[{_brief(task_input)}]"
        )
    job = make_job(task_input, algorithm_name=name)
    info = dict(job["info"])
    names = {_snake(key): key for key in (*job, *IN_INFO)}
    for key, value in given.items():
        known = names.get(_snake(key))
        if known is None:
            meant = near_miss(key, [*job, *IN_INFO, *OWN, *own])
            raise WrongUse(
                f"hkube.{method} has no argument '{key}'{did_you_mean(meant) or _of(job)}"
            )
        if known in IN_INFO:
            info[known] = value
        else:
            job[known] = value
    if isinstance(job["info"], dict):
        job["info"] = {**info, **(given.get("info") or {})}
    return job


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _of(job: Mapping[str, Any]) -> str:
    return f"; a job has {', '.join(sorted({*job, *IN_INFO} - {'input'}))}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else "…"
