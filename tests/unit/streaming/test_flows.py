import pytest

from wrapper.streaming.flows import FlowError, Flows, read_flows
from wrapper.streaming.job import StreamJob, is_streaming, read_stream_job

SET = [
    {"source": "A", "next": ["B", "C"]},
    {"source": "B", "next": ["D"]},
    {"source": "C", "next": ["D"]},
]
CYCLE = [{"source": "A", "next": ["B"]}, {"source": "B", "next": ["A"]}]


def test_a_message_takes_the_default_flow():
    route = Flows("A", {"f": SET, "g": CYCLE}, "f", ["B", "C"]).begin()
    assert route.targets == ("B", "C")
    assert route.rest == SET[1:]


def test_a_message_takes_a_named_flow():
    assert Flows("A", {"f": SET, "g": CYCLE}, "f", ["B", "C"]).begin("g").targets == ("B",)


def test_a_node_removes_its_own_hop():
    assert Flows("B", {}, None, ["D"]).follow(SET[1:]).rest == [SET[2]]


def test_a_cycle_ends_where_it_began():
    there = Flows("A", {"g": CYCLE}, "g", ["B"]).begin()
    back = Flows("B", {"g": CYCLE}, "g", ["A"]).follow(there.rest)
    assert back.targets == ("A",)
    assert back.rest == []


def test_a_flow_that_does_not_name_the_node_reaches_nobody():
    assert Flows("X", {}, None, ["D"]).follow(SET).targets == ()


def test_nodes_that_are_no_children_are_left_out():
    assert Flows("A", {"f": SET}, "f", ["C"]).begin().targets == ("C",)


@pytest.mark.parametrize(
    "name, text", [(None, "Streaming default flow is None"), ("x", "No such flow x")]
)
def test_errors_have_the_texts_of_the_published_wrapper(name, text):
    with pytest.raises(FlowError, match=text):
        Flows("A", {"f": SET}, None, ["B"]).begin(name)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"parsedFlow": 5, "defaultFlow": 5, "childs": 5, "nodeName": 5},
        {"parsedFlow": {"f": 5}, "childs": [5, None]},
        {"parsedFlow": {"f": [5, None]}},
    ],
)
def test_malformed_jobs_have_no_flows(data):
    flows = read_flows(data)
    with pytest.raises(FlowError):
        flows.begin()


def test_a_job_is_read():
    job = read_stream_job(
        {
            "kind": "stream",
            "nodeName": "B",
            "parents": ["A"],
            "childs": ["C"],
            "stateType": "stateless",
        }
    )
    assert job == StreamJob("B", ("A",), ("C",), is_stateless=True)


def test_a_node_without_a_state_type_is_stateful():
    job = read_stream_job({"kind": "stream"})
    assert job is not None
    assert not job.is_stateless


def test_a_batch_job_is_no_stream():
    assert read_stream_job({"kind": "batch"}) is None


@pytest.mark.parametrize(
    "data, expected",
    [
        ({"kind": "stream"}, True),
        ({"kind": "batch"}, False),
        ({"kind": "batch", "stateType": "stateful"}, True),
        ({"kind": "batch", "streamInput": {}}, True),
        (None, False),
    ],
)
def test_streaming_tasks_are_recognized(data, expected):
    assert is_streaming(data) is expected
