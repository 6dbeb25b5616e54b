import copy
import dataclasses
import pickle

import pytest

from wrapper.algorithm.api.job import Job

RECORDED = {
    "useCache": False,
    "jobId": "main:p19pa1nk",
    "nodeName": "green",
    "pipelineName": "simple",
    "priority": 3,
    "kind": "batch",
    "algorithmName": "green-alg",
    "info": {"savePaths": ["green"], "extraData": {}, "rootJobId": None},
    "taskId": "oxl03zdv",
    "input": [{"any": "json"}],
    "attempts": 0,
    "batchIndex": 0,
}


def test_reads_the_ids_of_a_recorded_initialize():
    job = Job.from_data(RECORDED)
    assert job.job_id == "main:p19pa1nk"
    assert job.task_id == "oxl03zdv"
    assert job.node_name == "green"
    assert job.algorithm_name == "green-alg"
    assert job.pipeline_name == "simple"
    assert job.kind == "batch"
    assert job.batch_index == 0
    assert job.attempts == 0
    assert job.info["savePaths"] == ["green"]


@pytest.mark.parametrize("data", [None, [], "text", 7, {}])
def test_accepts_data_without_ids(data):
    assert Job.from_data(data) == Job()


@pytest.mark.parametrize("info", [None, [], "text", 7])
def test_accepts_info_of_another_type(info):
    assert Job.from_data({"info": info}).info == {}


def test_ids_become_strings_and_only_integers_are_numbers():
    job = Job.from_data({"jobId": 5, "taskId": ["x"], "batchIndex": "1", "attempts": True})
    assert job.job_id == "5"
    assert job.task_id == "['x']"
    assert job.batch_index is None
    assert job.attempts is None


def test_does_not_share_the_workers_info():
    info = {"extraData": 1}
    job = Job.from_data({"info": info})
    info["extraData"] = 2
    assert job.info == {"extraData": 1}


def test_is_frozen_hashable_and_can_be_copied_and_pickled():
    job = Job.from_data(RECORDED)
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.job_id = "other"  # type: ignore[misc]
    assert {job: 1}[Job.from_data(RECORDED)] == 1
    assert copy.deepcopy(job) == job
    assert pickle.loads(pickle.dumps(job)) == job
