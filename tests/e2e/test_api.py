"""HKubeApi as user code uses it: calls, their answers, progress, spans, the task's ids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Serve, both_protocols
from .harness.events import ABSENT, Message

pytestmark = both_protocols

Reply = Callable[[Message], tuple[str, Any]]

IDS = {
    "startStoredSubPipeline": "subPipelineId",
    "startRawSubPipeline": "subPipelineId",
    "startAlgorithmExecution": "execId",
    "dataSourceRequest": "requestId",
}


def reply(command: str, **fields: Any) -> Reply:
    """Return an answer to a call, with the call's id."""

    def answer(message: Message) -> tuple[str, Any]:
        key = IDS[str(message.command)]
        return command, {key: message.data[key], **fields}

    return answer


def test_published_algorithms_run_unchanged(serve: Serve) -> None:
    worker, _ = serve("published_calls")
    worker.answers = {
        "dataSourceRequest": reply("dataSourceResponse", response={"name": "ds", "files": []}),
        "startAlgorithmExecution": reply("algorithmExecutionDone", response=3),
        "startStoredSubPipeline": reply("subPipelineDone", response=[{"result": 1}]),
        # HKube's worker has read a large result, and leaves the link beside it.
        "startRawSubPipeline": reply(
            "subPipelineDone", response=[{"result": 2, "info": {"path": "p", "isBigData": True}}]
        ),
    }
    assert worker.run() == [None, {"name": "ds", "files": []}, 3, [{"result": 1}], [{"result": 2}]]
    sent = {message.command: message.data for message in worker.received if message.data}
    algorithm = sent["startAlgorithmExecution"]
    assert (algorithm["algorithmName"], algorithm["input"]) == ("green-alg", [1, 2])
    assert algorithm["includeResult"] is True
    stored = sent["startStoredSubPipeline"]
    assert stored["subPipeline"] == {"name": "simple", "flowInput": {"a": 1}}
    assert stored["includeResult"] is True
    raw = sent["startRawSubPipeline"]
    assert raw["subPipeline"] == {
        "name": "raw",
        "nodes": [{"nodeName": "n"}],
        "flowInput": {"b": 2},
        "options": {"ttl": 9},
        "webhooks": {"w": 1},
    }
    assert raw["includeResult"] is True
    assert sent["dataSourceRequest"]["dataSource"] == {"dataSourceId": "ds"}
    ids = [sent[command][key] for command, key in IDS.items()]
    assert all(isinstance(text, str) for text in ids)
    assert len(set(ids)) == len(ids)


def test_missing_data_source_is_a_pair_too(serve: Serve) -> None:
    worker, _ = serve("calls")
    worker.answers["dataSourceRequest"] = reply("dataSourceResponse", error="no such source")
    assert worker.run("getDataSource", {"dataSourceId": "x"}) == [
        "returned",
        ["no such source", None],
    ]


FAILURES = [
    (
        "start_stored_subpipeline",
        "subPipelineError",
        {"error": "broke"},
        "SubPipelineError",
        "broke",
    ),
    (
        "start_stored_subpipeline",
        "subPipelineError",
        {"response": "from the gateway"},
        "SubPipelineError",
        "from the gateway",
    ),
    (
        "start_stored_subpipeline",
        "subPipelineStopped",
        {"reason": "enough"},
        "SubPipelineStopped",
        "enough",
    ),
    (
        "start_stored_subpipeline",
        "subPiplineStopped",
        {"reason": "as the page spells it"},
        "SubPipelineStopped",
        "as the page spells it",
    ),
    (
        "start_algorithm",
        "algorithmExecutionError",
        {"error": "no such algorithm"},
        "AlgorithmExecutionError",
        "no such algorithm",
    ),
    (
        "get_data_source",
        "dataSourceResponse",
        {"error": "no such source"},
        "DataSourceError",
        "no such source",
    ),
    ("start_stored_subpipeline", "subPipelineError", {}, "SubPipelineError", ""),
]


@pytest.mark.parametrize(("call", "command", "fields", "error", "text"), FAILURES)
def test_each_failure_raises_its_own_exception(
    serve: Serve, call: str, command: str, fields: dict[str, Any], error: str, text: str
) -> None:
    worker, _ = serve("calls")
    for request in IDS:
        worker.answers[request] = reply(command, **fields)
    argument = {"dataSourceId": "name"} if call == "get_data_source" else "name"
    outcome = worker.run(call, argument)
    assert outcome[0] == error
    assert text in outcome[1]
    assert outcome[1]
    assert outcome[2] == "wrapper.errors"


def test_interim_answers_are_ignored(serve: Serve) -> None:
    """`subPipelineStarted` does not end a call, and unknown ids are ignored."""
    worker, _ = serve("calls")

    def answer(message: Message) -> list[tuple[str, Any]]:
        number = message.data["subPipelineId"]
        return [
            ("subPipelineStarted", {"subPipelineId": number}),
            ("subPipelineDone", {"subPipelineId": "of nobody", "response": 0}),
            ("subPipelineDone", {"response": 0}),
            ("subPipelineDone", {"subPipelineId": number, "response": [1]}),
            ("subPipelineDone", {"subPipelineId": number, "response": [2]}),
        ]

    worker.answers["startStoredSubPipeline"] = answer
    assert worker.run("start_stored_subpipeline", "sub") == ["returned", [1]]
    assert worker.run("start_stored_subpipeline", "sub") == ["returned", [1]]


def test_hundred_calls_at_once_from_threads(serve: Serve) -> None:
    worker, _ = serve("many_calls")
    waiting: list[Message] = []

    def answer_all_at_the_end(message: Message) -> list[tuple[str, Any]]:
        waiting.append(message)
        if len(waiting) < 100:
            return []
        return [
            reply("subPipelineDone", response=m.data["subPipeline"]["flowInput"]["n"])(m)
            for m in reversed(waiting)
        ]

    worker.answers["startStoredSubPipeline"] = answer_all_at_the_end
    assert worker.run(100) == list(range(100))


def test_async_calls(serve: Serve) -> None:
    worker, _ = serve("asynchronous")
    worker.answers["startStoredSubPipeline"] = reply("subPipelineDone", response=["sub"])
    worker.answers["startAlgorithmExecution"] = lambda message: (
        "algorithmExecutionDone",
        {"execId": message.data["execId"], "response": message.data["input"]},
    )
    assert worker.run("pipeline") == ["sub"]
    assert worker.run("gather") == [[0], [1], [2], [3], [4]]


def test_futures_a_stop_and_a_timeout(serve: Serve) -> None:
    worker, _ = serve("futures")
    worker.answers["stopSubPipeline"] = lambda message: (
        "subPipelineStopped",
        {"subPipelineId": message.data["subPipelineId"], "reason": message.data["reason"]},
    )
    assert worker.run() == ["SubPipelineStopped", "not needed", True]


def test_api_of_an_ended_task_raises_and_sends_nothing(serve: Serve) -> None:
    worker, _ = serve("keeps_api")
    assert worker.run("keep") == "kept"
    outcome = worker.run("use")
    assert outcome in (["TaskOver"], ["AlgorithmStopped"])
    assert "startAlgorithmExecution" not in worker.commands()


def test_late_answers_to_an_ended_task_are_harmless(serve: Serve) -> None:
    worker, _ = serve("futures")
    worker.answers["stopSubPipeline"] = lambda message: (
        "subPipelineStopped",
        {"subPipelineId": message.data["subPipelineId"], "reason": "r"},
    )
    worker.run()
    late = [m for m in worker.received if m.command == "startAlgorithmExecution"]
    worker.send("algorithmExecutionDone", {"execId": late[0].data["execId"], "response": 1})
    worker.run()


def test_progress_and_spans_arrive_in_order(serve: Serve) -> None:
    worker, _ = serve("tells_progress")
    assert worker.run("fine") == "told"
    told = [m for m in worker.received if m.command in ("progress", "startSpan", "finishSpan")]
    assert [(m.command, m.data.get("name"), m.data.get("progress")) for m in told] == [
        ("startSpan", "outer", None),
        ("progress", None, 10),
        ("startSpan", "inner", None),
        ("progress", None, 50),
        ("finishSpan", None, None),
        ("startSpan", "left open", None),
        ("finishSpan", None, None),
        ("finishSpan", None, None),
    ]
    assert told[0].data["tags"] == {"a": 1}
    assert told[1].data == {"progress": 10, "details": "ten"}
    assert told[6].data["tags"] == {"c": 3}
    assert told[7].data["error"] == "went badly"
    assert all(message.data is not ABSENT for message in told)
    assert worker.commands()[-1] == "done"


def test_folder_for_metrics_exists_before_start(serve: Serve, tmp_path: Path) -> None:
    text = "import os\ndef start(args):\n    return os.path.isdir(os.environ['ALGO_METRICS_DIR'])\n"
    (tmp_path / "file").touch()
    for folder, exists in (("new/metrics", True), ("file/metrics", False)):
        settings = {"ALGO_METRICS_DIR": str(tmp_path / folder)}
        assert serve({"main.py": text}, env=settings).worker.run() is exists


def test_metrics_folder_and_the_tasks_ids(serve: Serve) -> None:
    worker, wrapper = serve("metrics")
    folder = wrapper.folder / "metrics"
    assert worker.run(taskId="t-1", jobId="j-1", nodeName="n-1", algorithmName="a-1") == [
        str(folder),
        "j-1",
        "t-1",
        "n-1",
        "a-1",
    ]
    assert (folder / "run.txt").read_text() == "loss 0.1"


def test_metrics_of_one_task_are_gone_when_the_next_begins(serve: Serve) -> None:
    text = (
        "def start(args, api):\n"
        "    found = sorted(path.name for path in api.metrics_dir.iterdir())\n"
        "    (api.metrics_dir / f'events.{api.job.task_id}').write_text('x')\n"
        "    return found\n"
    )
    worker = serve({"main.py": text}).worker
    assert [worker.run(taskId=name) for name in ("t1", "t2", "t3")] == [[], [], []]
    worker = serve({"main.py": text}, env={"HKUBE_METRICS_FILES": "keep"}).worker
    assert [worker.run(taskId=name) for name in ("t1", "t2")] == [[], ["events.t1"]]


def test_streaming_calls_outside_a_streaming_pipeline_are_refused(serve: Serve) -> None:
    outcome = serve("streams").worker.run()
    assert len(outcome) == 3
    assert all("stream" in text.lower() for text in outcome)


def test_unsendable_call_raises_in_user_code(serve: Serve, protocol: str) -> None:
    """A message that is too large would break the connection; user code can catch the error."""
    worker, _ = serve("calls", env={"WORKER_SOCKET_MAX_PAYLOAD_BYTES": "5000"}, max_size=5000)
    worker.answers["startAlgorithmExecution"] = reply("algorithmExecutionDone", response="ok")
    outcome = worker.run("start_algorithm", "alg", ["x" * 4000])
    assert outcome == ["returned", "ok"]
    grown = {
        "main.py": "def start(args, api):\n"
        "    try:\n        api.start_algorithm('alg', ['x' * 6000])\n"
        "    except Exception as error:\n        return [type(error).__name__, str(error)]\n"
    }
    worker, _ = serve(grown, env={"WORKER_SOCKET_MAX_PAYLOAD_BYTES": "5000"}, max_size=5000)
    name, text = worker.run()
    assert name == "PayloadTooLarge"
    limit = "4936" if protocol == "socketio" else "5000"  # less the packet around the message
    assert limit in text.replace(",", "")
