"""Jobs made from the arguments of `hkube.run`."""

from __future__ import annotations

import pytest

from wrapper.testing.request.job import job_of
from wrapper.testing.request.wrong_use import WrongUse


def test_job_has_the_shape_of_hkubes() -> None:
    job = job_of([1, 2], "green", {})
    assert job["input"] == [1, 2]
    assert job["algorithmName"] == "green"
    assert {"jobId", "taskId", "nodeName", "info", "spanId"} <= job.keys()


def test_entries_may_be_named_in_snake_case() -> None:
    job = job_of([], "green", {"nodeName": "n", "batch_index": 3, "job_id": "j"})
    assert (job["nodeName"], job["batchIndex"], job["jobId"]) == ("n", 3, "j")
    assert "batch_index" not in job


def test_entries_of_info_are_passed_like_others() -> None:
    job = job_of([], "green", {"extraData": {"a": 1}, "root_job_id": "r"})
    assert job["info"]["extraData"] == {"a": 1}
    assert job["info"]["rootJobId"] == "r"
    assert job["info"]["savePaths"] == ["local"]


@pytest.mark.parametrize("order", [("info", "extraData"), ("extraData", "info")])
def test_info_and_its_entries_are_merged(order: tuple[str, str]) -> None:
    given = {"info": {"mine": 2}, "extraData": {"a": 1}}
    job = job_of([], "green", {name: given[name] for name in order})
    assert job["info"]["mine"] == 2
    assert job["info"]["extraData"] == {"a": 1}
    assert job["info"]["savePaths"] == ["local"]


@pytest.mark.parametrize(
    "name, meant",
    [
        ("nodname", "nodeName"),
        ("inptu", "input"),
        ("isolate", "isolated"),
        ("NodeName", "nodeName"),
    ],
)
def test_misspelled_name_gets_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(WrongUse) as caught:
        job_of([], "green", {name: 1})
    assert str(caught.value) == f"hkube.run has no argument '{name}': did you mean '{meant}'?"


def test_unknown_name_lists_the_entries() -> None:
    with pytest.raises(WrongUse, match="has no argument 'xyzzy'; a job has algorithmName, "):
        job_of([], "green", {"xyzzy": 1})


@pytest.mark.parametrize(
    "given, shown", [(5, "[5]"), ("text", "['text']"), ({"a": 1}, "[{'a': 1}]"), ("x" * 99, "[…]")]
)
def test_input_must_be_a_list(given: object, shown: str) -> None:
    with pytest.raises(WrongUse) as caught:
        job_of(given, "green", {})
    assert str(caught.value) == (
        f"input must be a list, as HKube gives a node its inputs: perhaps input={shown}"
    )
