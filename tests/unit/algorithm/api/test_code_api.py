import asyncio
import concurrent.futures
import inspect
import json

import pytest

from wrapper.algorithm.api.calls import Calls
from wrapper.algorithm.api.code_api import CodeApi
from wrapper.errors import (
    AlgorithmExecutionError,
    AlgorithmStopped,
    DataSourceError,
    EncodingError,
    SubPipelineError,
    SubPipelineStopped,
    TaskOver,
)
from wrapper.protocol.messages.shapes import parse_answer


class HKube:
    """A link with a worker behind it that answers each call at once, as `answer` says."""

    def __init__(self):
        self.calls = Calls(self, print)
        self.api = CodeApi(self.calls)
        self.sent = []
        self.answer = None

    def send(self, message, subject):
        try:
            json.dumps(message)
        except TypeError as error:
            raise EncodingError(f"the {subject} cannot be sent") from error
        self.sent.append(message)
        if self.answer:
            command, fields = self.answer
            data = message["data"]
            ids = {
                key: data[key] for key in ("subPipelineId", "execId", "requestId") if key in data
            }
            self.answer_with(command, {**ids, **fields})

    def answer_with(self, command, data):
        answer = parse_answer(command, data)
        assert answer is not None
        self.calls.resolve(answer)


@pytest.fixture
def hkube():
    return HKube()


@pytest.fixture
def api(hkube):
    return hkube.api


def test_start_algorithm_sends_what_the_worker_expects(hkube, api):
    hkube.answer = ("algorithmExecutionDone", {"response": 42})
    assert api.start_algorithm("green-alg", [{"a": 1}, "b"]) == 42
    (message,) = hkube.sent
    assert message["command"] == "startAlgorithmExecution"
    data = message["data"]
    assert isinstance(data.pop("execId"), str)
    assert data == {"algorithmName": "green-alg", "input": [{"a": 1}, "b"], "includeResult": True}


def test_start_stored_subpipeline_sends_what_the_worker_expects(hkube, api):
    response = [{"nodeName": "green", "algorithmName": "green-alg", "result": 5}]
    hkube.answer = ("subPipelineDone", {"response": response})
    assert api.start_stored_subpipeline("simple", {"a": 1}) == response
    (message,) = hkube.sent
    assert message["command"] == "startStoredSubPipeline"
    data = message["data"]
    assert isinstance(data.pop("subPipelineId"), str)
    assert data["subPipeline"]["name"] == "simple"
    assert data["subPipeline"]["flowInput"] == {"a": 1}
    assert data["includeResult"] is True


def test_start_raw_subpipeline_sends_what_the_worker_expects(hkube, api):
    hkube.answer = ("subPipelineDone", {"response": [1]})
    nodes = [{"nodeName": "one", "algorithmName": "green-alg", "input": []}]
    assert api.start_raw_subpipeline("mine", nodes, {"a": 1}, {"ttl": 5}, {"result": "url"}) == [1]
    (message,) = hkube.sent
    assert message["command"] == "startRawSubPipeline"
    data = message["data"]
    assert isinstance(data.pop("subPipelineId"), str)
    assert data == {
        "subPipeline": {
            "name": "mine",
            "nodes": nodes,
            "flowInput": {"a": 1},
            "options": {"ttl": 5},
            "webhooks": {"result": "url"},
        },
        "includeResult": True,
    }


def test_defaults_are_empty_and_never_shared(hkube, api):
    hkube.answer = ("algorithmExecutionDone", {})
    api.start_algorithm("green-alg")
    hkube.answer = ("subPipelineDone", {})
    api.start_stored_subpipeline("simple")
    api.start_raw_subpipeline("mine", [], None)
    algorithm, stored, raw = (message["data"] for message in hkube.sent)
    assert algorithm["input"] == []
    assert stored["subPipeline"]["flowInput"] == {}
    for key in ("flowInput", "options", "webhooks"):
        assert raw["subPipeline"][key] == {}
    for function in (api.start_algorithm, api.start_stored_subpipeline, api.start_raw_subpipeline):
        for parameter in inspect.signature(function).parameters.values():
            assert not isinstance(parameter.default, (list, dict))


@pytest.mark.parametrize(
    "function, names",
    [
        ("start_algorithm", "algorithmName input includeResult blocking timeout"),
        ("start_stored_subpipeline", "name flowInput includeResult blocking timeout"),
        (
            "start_raw_subpipeline",
            "name nodes flowInput options webhooks includeResult blocking timeout",
        ),
        ("stop_subpipeline", "future_or_id reason"),
        ("stop_algorithm", "future_or_id reason"),
        ("get_data_source", "dataSource"),
        ("getDataSource", "dataSource"),
    ],
)
def test_parameters_have_the_names_that_algorithms_use(api, function, names):
    assert list(inspect.signature(getattr(api, function)).parameters) == names.split()


def test_without_the_result_the_answer_is_none(hkube, api):
    hkube.answer = ("subPipelineDone", {"response": {"storageInfo": {"path": "p"}}})
    assert api.start_stored_subpipeline("simple", includeResult=False) is None
    assert hkube.sent[0]["data"]["includeResult"] is False


@pytest.mark.parametrize("response", [0, "", False, None, []])
def test_an_empty_result_arrives_as_it_is(hkube, api, response):
    hkube.answer = ("algorithmExecutionDone", {"response": response})
    assert api.start_algorithm("green-alg") == response


@pytest.mark.parametrize(
    "error", ["no such algorithm", {"message": "no such algorithm", "code": 1}]
)
def test_an_algorithm_that_fails_raises_hkubes_text(hkube, api, error):
    hkube.answer = ("algorithmExecutionError", {"error": error})
    with pytest.raises(AlgorithmExecutionError, match="^no such algorithm$"):
        api.start_algorithm("green-alg")


def test_a_sub_pipeline_that_fails_raises_hkubes_text(hkube, api):
    hkube.answer = ("subPipelineError", {"error": "no such pipeline"})
    with pytest.raises(SubPipelineError, match="^no such pipeline$"):
        api.start_stored_subpipeline("simple")


@pytest.mark.parametrize("command", ["subPipelineStopped", "subPiplineStopped"])
def test_a_sub_pipeline_that_is_stopped_raises_hkubes_reason(hkube, api, command):
    hkube.answer = (command, {"reason": "by the user"})
    with pytest.raises(SubPipelineStopped, match="^by the user$"):
        api.start_raw_subpipeline("mine", [], {})


def test_not_blocking_gives_a_future(hkube, api):
    futures = [
        api.start_algorithm("green-alg", blocking=False),
        api.start_stored_subpipeline("simple", blocking=False),
        api.start_raw_subpipeline("mine", [], {}, blocking=False),
    ]
    for future in futures:
        assert isinstance(future, concurrent.futures.Future)
        assert not future.done()
    assert len({future.id for future in futures}) == 3
    hkube.answer_with("algorithmExecutionDone", {"execId": futures[0].id, "response": 1})
    hkube.answer_with("subPipelineDone", {"subPipelineId": futures[1].id, "response": 2})
    hkube.answer_with("subPipelineError", {"subPipelineId": futures[2].id, "error": "bad"})
    assert [futures[0].result(0), futures[1].result(0)] == [1, 2]
    with pytest.raises(SubPipelineError, match="^bad$"):
        futures[2].result(0)


def test_a_future_can_be_awaited(hkube, api):
    async def start():
        future = api.start_algorithm("green-alg", blocking=False)
        asyncio.get_running_loop().call_soon(
            hkube.answer_with, "algorithmExecutionDone", {"execId": future.id, "response": 7}
        )
        return await future

    assert asyncio.run(start()) == 7


def test_a_timeout_raises_and_names_the_call(api):
    with pytest.raises(
        TimeoutError, match="^algorithm 'green-alg' .* gave no answer in 0.001 seconds"
    ):
        api.start_algorithm("green-alg", timeout=0.001)
    with pytest.raises(TimeoutError, match="^sub-pipeline 'simple'"):
        api.start_stored_subpipeline("simple", timeout=0.001)
    with pytest.raises(TimeoutError, match="^sub-pipeline 'mine'"):
        api.start_raw_subpipeline("mine", [], {}, timeout=0.001)
    future = api.start_algorithm("green-alg", blocking=False, timeout=0.001)
    with pytest.raises(TimeoutError, match="^algorithm 'green-alg'"):
        future.result(10)


@pytest.mark.parametrize(
    "call, error",
    [
        (lambda api: api.start_algorithm(""), ValueError),
        (lambda api: api.start_algorithm(None), TypeError),
        (lambda api: api.start_algorithm("a", {"b": 1}), TypeError),
        (lambda api: api.start_algorithm("a", timeout=0), ValueError),
        (lambda api: api.start_stored_subpipeline(5), TypeError),
        (lambda api: api.start_stored_subpipeline("a", [1]), TypeError),
        (lambda api: api.start_stored_subpipeline("a", timeout="5"), TypeError),
        (lambda api: api.start_raw_subpipeline("a", {}, {}), TypeError),
        (lambda api: api.start_raw_subpipeline("a", ["node"], {}), TypeError),
        (lambda api: api.start_raw_subpipeline("a", [], [1]), TypeError),
        (lambda api: api.start_raw_subpipeline("a", [], {}, options=[1]), TypeError),
        (lambda api: api.start_raw_subpipeline("a", [], {}, webhooks="url"), TypeError),
        (lambda api: api.start_raw_subpipeline("a", [], {}, timeout=-1), ValueError),
        (lambda api: api.stop_subpipeline(None), TypeError),
        (lambda api: api.stop_algorithm(5), TypeError),
        (lambda api: api.get_data_source("an-id"), TypeError),
        (lambda api: api.getDataSource(None), TypeError),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(hkube, api, call, error):
    with pytest.raises(error):
        call(api)
    assert not hkube.sent
    assert not hkube.calls._waiting


def test_an_unencodable_message_raises_and_leaves_no_call(hkube, api):
    with pytest.raises(EncodingError, match="cannot be sent"):
        api.start_algorithm("green-alg", [{1, 2}])
    with pytest.raises(EncodingError, match="cannot be sent"):
        api.start_stored_subpipeline("simple", {"a": object()}, blocking=False)
    assert not hkube.calls._waiting


@pytest.mark.parametrize("by_id", [False, True])
def test_stop_subpipeline(hkube, api, by_id):
    future = api.start_stored_subpipeline("simple", blocking=False)
    assert api.stop_subpipeline(future.id if by_id else future, "enough") is None
    assert hkube.sent[1] == {
        "command": "stopSubPipeline",
        "data": {"subPipelineId": future.id, "reason": "enough"},
    }
    assert not future.done()
    hkube.answer_with("subPipelineStopped", {"subPipelineId": future.id, "reason": "stopped"})
    with pytest.raises(SubPipelineStopped, match="^stopped$"):
        future.result(0)


@pytest.mark.parametrize("by_id", [False, True])
def test_stop_algorithm(hkube, api, by_id):
    future = api.start_algorithm("green-alg", blocking=False)
    assert api.stop_algorithm(future.id if by_id else future) is None
    assert hkube.sent[1] == {
        "command": "stopAlgorithmExecution",
        "data": {"execId": future.id, "reason": ""},
    }
    hkube.answer_with("algorithmExecutionError", {"execId": future.id, "error": "unable to find"})
    with pytest.raises(AlgorithmExecutionError, match="^unable to find$"):
        future.result(0)


@pytest.mark.parametrize("reason, text", [(None, ""), (ValueError("slow"), "slow"), (5, "5")])
def test_the_reason_of_a_stop_is_sent_as_a_string(hkube, api, reason, text):
    api.stop_subpipeline("1-1", reason)
    api.stop_algorithm("1-1", reason)
    assert [message["data"]["reason"] for message in hkube.sent] == [text, text]


def test_get_data_source(hkube, api):
    source = {"name": "images", "files": [{"path": "/data/1.png"}]}
    hkube.answer = ("dataSourceResponse", {"response": source})
    assert api.get_data_source({"dataSourceId": "5f"}) == source
    data = hkube.sent[0]["data"]
    assert hkube.sent[0]["command"] == "dataSourceRequest"
    assert isinstance(data["requestId"], str)
    assert data["dataSource"] == {"dataSourceId": "5f"}
    assert api.getDataSource({"snapshotId": "6f"}) == (None, source)


@pytest.mark.parametrize(
    ("data_source", "title"),
    [
        ({"dataSourceId": "5f"}, "data source '5f'"),
        ({"snapshotId": "6f"}, "data source '6f'"),
        ({}, "data source"),
    ],
)
def test_an_interrupted_wait_names_the_data_source(hkube, api, data_source, title):
    hkube.calls.stop()
    with pytest.raises(AlgorithmStopped, match=rf"; {title} \(id .*\) is not waited for$"):
        api.get_data_source(data_source)


@pytest.mark.parametrize("error", ["unable to find", {"message": "unable to find"}])
def test_a_data_source_that_fails(hkube, api, error):
    hkube.answer = ("dataSourceResponse", {"error": error})
    with pytest.raises(DataSourceError, match="^unable to find$"):
        api.get_data_source({"dataSourceId": "5f"})
    assert api.getDataSource({"dataSourceId": "5f"}) == ("unable to find", None)


def test_a_stopped_task_ends_calls_but_still_sends_stops(hkube, api):
    future = api.start_algorithm("green-alg", blocking=False)
    hkube.calls.stop()
    with pytest.raises(AlgorithmStopped):
        future.result(0)
    with pytest.raises(AlgorithmStopped):
        api.start_stored_subpipeline("simple")
    with pytest.raises(AlgorithmStopped):
        api.getDataSource({"dataSourceId": "5f"})
    api.stop_algorithm(future, "cleaning up")
    assert [message["command"] for message in hkube.sent] == [
        "startAlgorithmExecution",
        "stopAlgorithmExecution",
    ]


def test_the_api_of_a_task_that_is_over_refuses_calls(hkube, api):
    hkube.calls.close()
    for call in (
        lambda: api.start_algorithm("green-alg"),
        lambda: api.start_stored_subpipeline("simple", blocking=False),
        lambda: api.get_data_source({"dataSourceId": "5f"}),
        lambda: api.stop_subpipeline("1-1"),
    ):
        with pytest.raises(TaskOver):
            call()
    assert not hkube.sent
