"""The job of a pipeline's task, as HKube's worker would send it."""

from __future__ import annotations

from wrapper.local.pipeline.descriptor.parsing import parse_pipeline
from wrapper.local.pipeline.engine.jobs import Place, task_job
from wrapper.local.pipeline.run.actions import StartTask, TaskKey
from wrapper.local.worker.job import make_job

PIPELINE = parse_pipeline(
    {
        "name": "simple",
        "priority": 5,
        "nodes": [
            {"nodeName": "a", "algorithmName": "a-alg"},
            {
                "nodeName": "b",
                "algorithmName": "b-alg",
                "input": ["#@a.list"],
                "ttl": 7,
                "retry": {"policy": "Always", "limit": 2},
                "metrics": {"tensorboard": False},
                "extraData": {"code": "x"},
            },
            {"nodeName": "c", "algorithmName": "c-alg", "input": ["@b.x", {"k": "@b.y"}, "@a"]},
        ],
    },
    "p",
)


def test_job_has_the_pipelines_values() -> None:
    start = StartTask(TaskKey("b", (3,)), PIPELINE.nodes[1], [5], batch_index=3, attempts=1)
    place = Place(job_id="local:1")
    job = task_job(PIPELINE, place, start, "t1")
    assert job.keys() == make_job([], "x").keys()
    expected = {
        "jobId": "local:1",
        "taskId": "t1",
        "nodeName": "b",
        "algorithmName": "b-alg",
        "pipelineName": "simple",
        "priority": 5,
        "input": [5],
        "batchIndex": 3,
        "attempts": 1,
        "ttl": 7,
        "retry": {"policy": "Always", "limit": 2},
        "metrics": {"tensorboard": False},
        "parents": ["a"],
        "childs": ["c"],
        "info": {
            "savePaths": ["b", "b.x", "b.y"],
            "extraData": {"code": "x"},
            "lastRunResult": None,
            "rootJobId": None,
        },
    }
    assert {name: job[name] for name in expected} == expected


def test_nested_run_knows_the_root_job() -> None:
    root = Place(job_id="local:1")
    inner = root.below("a", "stock").below("count", "price")
    assert (inner.path, inner.depth) == (("a", "stock", "count", "price"), 2)
    assert inner.root_job_id == "local:1"
    assert inner.job_id != root.job_id
    start = StartTask(TaskKey("a"), PIPELINE.nodes[0], [], batch_index=0, attempts=0)
    job = task_job(PIPELINE, inner, start, "t")
    assert job["info"]["rootJobId"] == "local:1"
    assert job["jobId"] == inner.job_id
