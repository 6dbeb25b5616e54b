"""A plain task: its messages and their order, and what user code sees."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Serve, both_protocols

pytestmark = both_protocols


def skip_socketio(protocol: str) -> None:
    if protocol == "socketio":
        pytest.skip("HKube's socket.io has JSON only")


QUERIES = {
    "ws": {"storage": "v1", "encoding": "json"},
    "socketio": {"EIO": "3", "transport": "websocket"},
}


def test_task_matches_the_recorded_protocol(serve: Serve, protocol: str) -> None:
    worker, _ = serve("echo")
    assert worker.queries == [QUERIES[protocol]]
    worker.begin({"any": "json"})
    assert worker.finish().data == [{"any": "json"}]
    assert worker.commands() == ["initialized", "started", "done"]
    assert [message.raw for message in worker.received if message.command != "done"] == [
        '{"command":"initialized"}',
        '{"command":"started"}',
    ]


def test_any_value_makes_the_round_trip(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    values: list[Any] = [None, 0, "", False, [], {}, 1.5, "☃", 2**60, {"a": [1, {}]}]
    for value in values:
        result = worker.run(value)
        assert (type(result), result) == (type(value), value)


def test_one_process_serves_all_tasks_on_its_main_thread(serve: Serve) -> None:
    worker, wrapper = serve("identity")
    results = [worker.run() for _ in range(5)]
    assert [result["tasks"] for result in results] == [1, 2, 3, 4, 5]
    assert {result["pid"] for result in results} == {wrapper.algorithm().pid}
    assert all(result["main_thread"] for result in results)
    assert worker.connections == 1


def test_no_user_code_runs_in_the_supervisor(serve: Serve) -> None:
    worker, wrapper = serve("identity")
    assert worker.run()["pid"] != wrapper.pid


def test_start_without_data(serve: Serve) -> None:
    worker, _ = serve("any_arguments")
    worker.initialize()
    worker.expect("initialized")
    worker.send("start")
    worker.expect("started")
    assert worker.finish().data == [2, []]


def test_start_before_initialized_waits_for_it(serve: Serve) -> None:
    worker, _ = serve("initialize_and_init")
    for number in range(3):
        worker.initialize(number)
        worker.send("start", {})
        assert worker.finish().data == [[n] for n in range(number + 1)]
    assert worker.commands() == ["initialized", "started", "done"] * 3


def test_start_twice_runs_once(serve: Serve) -> None:
    worker, wrapper = serve("waits_for_file")
    worker.begin("wait")
    worker.send("start", {})
    wrapper.wait_for_file("begun")
    (wrapper.work / "go").touch()
    assert worker.finish().data == "waited"
    worker.expect_silence(0.3)
    assert worker.run("next") == "next"


def test_start_without_a_task_is_ignored(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.send("start", {})
    worker.expect_silence(0.3)
    assert worker.run(1) == 1


def test_new_task_ends_the_running_one(serve: Serve) -> None:
    worker, wrapper = serve("waits_for_file")
    worker.begin("wait")
    wrapper.wait_for_file("begun")
    assert worker.run("second") == "second"
    assert "done" not in worker.commands()[:-1]
    assert not (wrapper.work / "finished").exists()
    assert worker.run("third") == "third"


def test_new_task_ends_the_one_that_initializes(serve: Serve) -> None:
    worker, wrapper = serve("waits_for_file")
    worker.initialize("initialize")
    wrapper.wait_for_file("begun")
    assert worker.run("second") == "second"
    assert worker.commands().count("initialized") == 1


def test_new_task_replaces_one_that_was_not_started(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    worker.initialize("first")
    worker.expect("initialized")
    assert worker.run("second") == "second"
    assert worker.commands() == ["initialized", "initialized", "started", "done"]


@pytest.mark.parametrize("encoding", ["json", "msgpack", "bson"])
def test_three_encodings(serve: Serve, encoding: str, protocol: str) -> None:
    skip_socketio(protocol)
    worker, _ = serve("one_argument", env={"WORKER_ALGORITHM_ENCODING": encoding})
    assert worker.queries[0]["encoding"] == encoding
    value = {"text": "é", "n": [1, 2.5, None, True]}
    assert worker.run(value) == value
    assert worker.run("second") == "second"


@pytest.mark.parametrize("encoding", ["msgpack", "bson"])
def test_bytes_make_the_round_trip_in_binary_encodings(
    serve: Serve, encoding: str, protocol: str
) -> None:
    skip_socketio(protocol)
    worker, _ = serve("one_argument", env={"WORKER_ALGORITHM_ENCODING": encoding})
    assert worker.run(b"\x00\xff") == b"\x00\xff"
    assert worker.run({"deep": [b"x"]}) == {"deep": [b"x"]}


def test_large_message_makes_the_round_trip(serve: Serve) -> None:
    worker, _ = serve("one_argument")
    text = "x" * 30_000_000
    assert worker.run(text) == text
    assert worker.run("small") == "small"


def test_largest_input_arrives(serve: Serve) -> None:
    worker, _ = serve("length_of_input")
    assert worker.run("x" * 99_000_000, timeout=60) == ["str", 99_000_000]


def test_user_code_may_change_its_input(serve: Serve) -> None:
    worker, _ = serve("mutates_input")
    assert worker.run("x") == {"seen": True}
    assert worker.run("y") == {"seen": True}


def test_alive_is_sent_only_while_a_task_runs(serve: Serve) -> None:
    worker, wrapper = serve("waits_for_file")
    worker.begin("wait")

    def alive() -> int:
        return sum(message.command == "alive" for message in worker.received)

    worker.wait_until(lambda: alive() >= 2, 15, "second alive")
    (wrapper.work / "go").touch()
    assert worker.finish().data == "waited"
    worker.wait_until(lambda: True, 1, "")
    assert worker.run("next") == "next"


@pytest.mark.parametrize(
    "algorithm", ["initialize_and_init", "init_only"], ids=["initialize", "init"]
)
def test_both_names_of_initialize(serve: Serve, algorithm: str) -> None:
    worker, _ = serve(algorithm)
    assert worker.run(1) == [[1]]
    assert worker.run(2) == [[1], [2]]


def test_functions_without_arguments(serve: Serve) -> None:
    worker, wrapper = serve("stop_without_argument")
    assert worker.run("x") == ["init"]
    worker.send("exit")
    assert wrapper.wait() == 0
    assert "exit was called" in wrapper.stdout


def test_partial_and_callable_objects(serve: Serve) -> None:
    assert serve("odd_signatures").worker.run(2) == [6, 1]


def test_async_start(serve: Serve) -> None:
    worker, _ = serve("asynchronous")
    assert worker.run("plain") == "async"
    assert worker.run("plain") == "async"


def test_start_may_run_an_event_loop(serve: Serve) -> None:
    worker, _ = serve("runs_asyncio")
    assert worker.run(2) == 4
    assert worker.run(3) == 6
