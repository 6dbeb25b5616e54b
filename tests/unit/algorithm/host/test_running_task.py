import threading

import pytest

from wrapper.algorithm.host.running_task import RunningTask
from wrapper.errors import TaskOver
from wrapper.protocol.messages.shapes import parse_answer


class Link:
    def __init__(self):
        self.sent = []
        self.has_sent = threading.Event()

    def send(self, message, subject):
        self.sent.append(message)
        self.has_sent.set()


@pytest.fixture
def link():
    return Link()


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def task(link, warnings, tmp_path):
    return RunningTask(1, {"jobId": "main", "taskId": "oxl"}, link, str(tmp_path), warnings.append)


def test_its_parts_belong_together(task, link, warnings, tmp_path):
    assert task.job.job_id == "main"
    assert task.hkube_api.job is task.job
    assert task.hkube_api.metrics_dir == tmp_path
    task.hkube_api.finish_span()
    assert len(warnings) == 1
    future = task.hkube_api.start_algorithm("green-alg", blocking=False)
    data = {"execId": future.id, "response": 5}
    task.calls.resolve(parse_answer("algorithmExecutionDone", data))
    assert future.result(0) == 5
    task.calls.stop()
    assert task.hkube_api.stop_requested


def test_the_end_finishes_spans_and_ignores_later_ones(task, link, warnings):
    task.hkube_api.start_span("one")
    task.hkube_api.start_span("two")
    task.end("ValueError: bad")
    assert [message["command"] for message in link.sent[2:]] == ["finishSpan"] * 2
    assert link.sent[3]["data"]["error"] == "ValueError: bad"
    task.hkube_api.progress(50)
    with task.hkube_api.span("three"):
        pass
    task.hkube_api.finish_span()
    assert len(link.sent) == 4
    assert not warnings


def test_the_end_wakes_a_leftover_thread(task, link):
    raised = []

    def work():
        with pytest.raises(TaskOver) as caught:
            task.hkube_api.start_algorithm("green-alg")
        raised.append(caught.value)

    thread = threading.Thread(target=work)
    thread.start()
    assert link.has_sent.wait(10)
    task.end(None)
    thread.join(10)
    assert not thread.is_alive()
    assert len(raised) == 1


@pytest.mark.parametrize("data", [None, [], "text"])
def test_a_task_without_usable_data_has_an_api(link, warnings, data):
    task = RunningTask(1, data, link, "metrics", warnings.append)

    assert task.hkube_api.job.job_id is None
