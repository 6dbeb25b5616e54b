"""Real runs of algorithms in the test's process, through the worker's WebSocket."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wrapper.errors import EncodingError, LoadError
from wrapper.ipc.frames import INTERRUPT_SIGNAL
from wrapper.local.worker.answers import Cancelled
from wrapper.testing import AlgorithmFailed, HKube, Outcome
from wrapper.testing.request.wrong_use import WrongUse

Write = Callable[..., Path]


@pytest.fixture
def hkube(tmp_path: Path) -> Iterator[HKube]:
    """The plugin's fixture, made here because the plugin may not be installed."""
    hkube = HKube([tmp_path])
    yield hkube
    hkube.close()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a module into the test's folder."""

    def write(text: str, name: str = "main.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return path

    return write


WHOLE = """
    import logging, sys

    runs = 0

    def initialize(args):
        print("a task for", args["nodeName"])

    def start(args, hkubeApi):
        global runs
        runs += 1
        print("to stderr", file=sys.stderr)
        logging.getLogger("alg").warning("run %s", runs)
        with hkubeApi.span("outer", {"size": 1}):
            with hkubeApi.span("inner"):
                hkubeApi.progress(50)
        hkubeApi.progress(100)
        other = hkubeApi.start_algorithm("other", [args["input"][0]])
        return {"runs": runs, "other": other, "tuple": (1, 2), "nan": float("nan")}
"""


def test_outcome_of_a_run(hkube: HKube, write: Write) -> None:
    hkube.answer_algorithm("other", lambda given: {"got": given})
    outcome = hkube.run(write(WHOLE), input=["in"], nodeName="green")
    assert outcome.result == {
        "runs": 1,
        "other": {"got": ["in"]},
        "tuple": [1, 2],
        "nan": None,
    }
    assert outcome.error is None
    assert not outcome.stopped
    assert outcome.progress == [50, 100]
    assert outcome.logs == ["a task for green", "to stderr", "run 1"]
    assert [each["command"] for each in outcome.messages] == [
        *("initialized", "started", "startSpan", "startSpan", "progress", "finishSpan"),
        *("finishSpan", "progress", "startAlgorithmExecution", "done"),
    ]
    (outer,) = outcome.spans
    assert (outer.name, outer.tags, [each.name for each in outer.children]) == (
        "outer",
        {"size": 1},
        ["inner"],
    )
    assert [(call.name, call.input) for call in outcome.calls] == [("other", ["in"])]


def test_algorithm_is_loaded_once_and_exits_at_the_end(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    hkube = HKube([tmp_path])
    write("runs = []\ndef start(args):\n    runs.append(1)\n    return len(runs)\n")
    with (tmp_path / "main.py").open("a") as file:
        file.write("def exit(args):\n    print('exit with', args)\n")
    assert [hkube.run("main.py").result for _ in range(3)] == [1, 2, 3]
    assert "exit" not in capsys.readouterr().out
    hkube.close()
    assert capsys.readouterr().out == "exit with {'exitCode': 0}\n"


def test_process_state_is_restored(tmp_path: Path, write: Write) -> None:
    def state() -> list[Any]:
        gc.collect()  # collects the selectors that websockets leaves
        handlers = [signal.getsignal(n) for n in (signal.SIGINT, INTERRUPT_SIGNAL)]
        threads = sorted(thread.name for thread in threading.enumerate())
        fds = sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []
        names = [name for name in ("main", "beside") if name in sys.modules]
        return [os.getcwd(), list(sys.path), handlers, threads, fds, names, dict(os.environ)]

    write("", "beside.py")
    path = write("import beside\nimport os\nos.environ['A'] = 'b'\nasync def start(args): pass\n")
    write("name: green\nalgorithmEnv: {B: c}\ncode: {path: .}\n", "algorithm.yml")
    for _ in range(2):  # the first time, libraries are imported
        before = state()
        hkube = HKube([])
        for given in (path, tmp_path):
            assert hkube.run(given).error is None
            assert state()[:2] == before[:2]
            assert state()[-2:] == before[-2:]
        hkube.close()
    assert state() == before


def test_failure(hkube: HKube, write: Write) -> None:
    write("def start(args):\n    numbers = args['input']\n    return sum(numbers) / len(numbers)\n")
    outcome = hkube.run("main.py")
    assert outcome.error is not None
    assert outcome.error.code == "AlgorithmError"
    assert outcome.error.message == "ZeroDivisionError: division by zero (main.py:3, in start)"
    assert "> 3 |     return sum(numbers)" in outcome.error.details
    exception = outcome.error.exception
    assert isinstance(exception, ZeroDivisionError)
    assert exception.__traceback__ is not None
    assert exception.__traceback__.tb_frame.f_locals["numbers"] == []
    with pytest.raises(AlgorithmFailed, match="main.py:3, in start") as caught:
        _ = outcome.result
    assert caught.value.__cause__ is exception
    assert hkube.run("main.py", input=[1, 3]).result == 2.0


def failing(hkube: HKube, path: Path) -> tuple[str, BaseException | None]:
    error = hkube.run(path).error
    assert error is not None
    return error.message, error.exception


def test_odd_failures(hkube: HKube, write: Write) -> None:
    message, exception = failing(hkube, write("import sys\ndef start(args): sys.exit(3)\n"))
    assert message == "SystemExit: 3 (main.py:2, in start)"
    assert isinstance(exception, SystemExit)
    message, exception = failing(hkube, write("def start(args): yield 1\n", "generator.py"))
    assert message.startswith("the result cannot be sent as JSON: result is a generator")
    assert exception is None
    message, exception = failing(hkube, write("def strat(args): pass\n", "near.py"))
    assert message == "near.py has no function 'start'; it has 'strat': did you mean 'start'?"
    assert isinstance(exception, LoadError)
    message, _ = failing(hkube, write("def start(args): return b''\n", "raw.py"))
    assert "WORKER_ALGORITHM_ENCODING=msgpack" in message


def test_async(hkube: HKube, write: Write) -> None:
    path = write("""
        import asyncio

        async def start(args, hkubeApi):
            await asyncio.sleep(0)
            return await asyncio.wrap_future(hkubeApi.start_algorithm("a", blocking=False))
    """)
    hkube.answer_algorithm("a", 5)
    assert [hkube.run(path).result for _ in range(2)] == [5, 5]
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


CALLS = """
    def start(args, hkubeApi):
        kind, name = args["input"]
        if kind == "raw":
            return hkubeApi.start_raw_subpipeline(name, [], {"a": 1})
        if kind == "stored":
            return hkubeApi.start_stored_subpipeline(name, {"a": 1})
        return hkubeApi.get_data_source({"dataSourceId": name})
"""


def test_pipelines_and_data_sources_are_answered(hkube: HKube, write: Write) -> None:
    path = write(CALLS)
    hkube.answer_pipeline("p", lambda flow_input: [{"result": flow_input}])
    hkube.answer_data_source("d", {"name": "d", "files": []})
    for kind in ("raw", "stored"):
        assert hkube.run(path, input=[kind, "p"]).result == [{"result": {"a": 1}}]
    assert hkube.run(path, input=["data", "d"]).result == {"name": "d", "files": []}


def test_failing_calls(hkube: HKube, write: Write) -> None:
    path = write(CALLS)
    hkube.answer_pipeline("raises", ValueError("no such thing"))
    hkube.answer_pipeline("stopped", Cancelled("by the user"))
    hkube.answer_pipeline("unsendable", lambda flow_input: object())
    for name, text in {
        "raises": "SubPipelineError: ValueError: no such thing",
        "stopped": "by the user",
        "unsendable": "the answer for stored pipeline 'unsendable' cannot be sent",
        "missing": "add one with hkube.answer_pipeline('missing', …)",
    }.items():
        message, _ = failing_call(hkube.run(path, input=["stored", name]))
        assert text in message


def failing_call(outcome: Outcome) -> tuple[str, BaseException | None]:
    assert outcome.error is not None
    return outcome.error.message, outcome.error.exception


def test_assertion_in_an_answer_fails_the_test(hkube: HKube, write: Write) -> None:
    def check(flow_input: Any) -> None:
        assert flow_input == {"a": 2}, "not what was meant"

    path = write(CALLS)
    hkube.answer_pipeline("p", check)
    with pytest.raises(AssertionError, match="not what was meant"):
        hkube.run(path, input=["stored", "p"])
    hkube.answer_pipeline("p", lambda flow_input: pytest.skip("not here"))
    with pytest.raises(pytest.skip.Exception, match="not here"):
        hkube.run(path, input=["stored", "p"])


GOES_ON = """
    def start(args, hkubeApi):
        done = 0
        while not hkubeApi.stop_requested:
            done += 1
            hkubeApi.progress(done)
"""


@pytest.mark.parametrize(
    "after, least",
    [
        (lambda message: message["data"] and message["data"].get("progress") == 5, 5),
        ("progress", 1),
        (0.01, 0),
        (None, 0),
        ("started", 0),
    ],
)
def test_stop(hkube: HKube, write: Write, after: Any, least: int) -> None:
    path = write(GOES_ON)
    if callable(after):
        hkube.stop(after=lambda message: message.get("data") is not None and after(message))
    else:
        hkube.stop(after=after)
    outcome = hkube.run(path)
    assert outcome.stopped
    assert outcome.error is None
    assert len(outcome.progress) >= least


def test_stop_applies_to_one_run(hkube: HKube) -> None:
    hkube.stop(after=3600)
    assert hkube.run(lambda args: 1).result == 1
    assert hkube.run(lambda args: 2).result == 2


def test_stop_from_an_answer(hkube: HKube, write: Write) -> None:
    path = write("""
        def start(args, hkubeApi):
            hkubeApi.start_algorithm("other")
            while True:
                pass
    """)
    hkube.answer_algorithm("other", lambda given: hkube.stop())
    assert hkube.run(path).stopped


def test_error_in_the_after_function_fails_the_test(hkube: HKube, write: Write) -> None:
    hkube.stop(after=lambda message: message["no such key"])
    with pytest.raises(KeyError, match="no such key"):
        hkube.run(write(GOES_ON))


def test_timeout(hkube: HKube, write: Write) -> None:
    path = write(
        "def start(args):\n    while args['input']:\n        pass\n    return 'after it'\n"
    )
    with pytest.raises(AlgorithmFailed, match=r"no result within 0.5 s \(timeout=0.5\)") as caught:
        hkube.run(path, input=[1], timeout=0.5)
    assert caught.value.__cause__ is not None
    assert caught.value.__cause__.__traceback__ is not None
    assert caught.value.__cause__.__traceback__.tb_frame.f_code.co_name == "start"
    assert hkube.run(path).result == "after it"


def test_import_that_takes_too_long(hkube: HKube, write: Write) -> None:
    path = write("while True:\n    pass\n")
    with pytest.raises(AlgorithmFailed, match="did not end when it was stopped"):
        hkube.run(path, timeout=0.5)
    write("def start(args): return 'fixed'\n")
    assert hkube.run(path).result == "fixed"


def test_functions_and_modules_as_algorithms(hkube: HKube, tmp_path: Path) -> None:
    def start(args: Any, api: Any) -> Any:
        return [args["nodeName"], args["info"]["extraData"], args["batchIndex"]]

    outcome = hkube.run(start, node_name="n", extraData={"a": 1}, batchIndex=3)
    assert outcome.result == ["n", {"a": 1}, 3]
    module = ModuleType("of_the_test")
    module.__file__ = str(tmp_path / "of_the_test.py")
    (tmp_path / "of_the_test.py").write_text("")
    module.start = lambda args: Path.cwd().name  # type: ignore[attr-defined]
    assert hkube.run(module).result == tmp_path.name


def test_two_algorithms_in_turn(hkube: HKube, write: Write) -> None:
    one = write("async def start(args): return __name__\n", "one.py")
    two = write("def start(args): return __name__\n", "two.py")
    assert [hkube.run(path).result for path in (one, two, one, two)] == ["one", "two"] * 2
    hkube.stop()
    assert hkube.run(write(GOES_ON, "three.py")).stopped
    hkube.stop()
    assert hkube.run(lambda args: signal.pause()).stopped


def test_wrong_use(hkube: HKube) -> None:
    def start(args: Any) -> Any:
        return hkube.run(start)

    for wrong, text in [
        (lambda: hkube.run(start, input=5), "input must be a list"),  # type: ignore[arg-type]
        (lambda: hkube.run(start, nodname=5), "did you mean 'nodeName'?"),
        (lambda: hkube.run(start, isolated=True), "isolated=True takes a path or a module"),
        (lambda: hkube.stop(after="progres"), "did you mean 'progress'?"),
        (lambda: hkube.stop(after="xyzzy"), "it may be initialized, started"),
        (lambda: hkube.stop(after=-1), "takes seconds, the name of a message"),
        (lambda: hkube.answer_algorithm(3, 3), "the first argument must be the name"),  # type: ignore[arg-type]
    ]:
        with pytest.raises(WrongUse) as caught:
            wrong()
        assert text in str(caught.value)
    message, _ = failing_call(hkube.run(start))
    assert "a run is in progress" in message
    with pytest.raises(EncodingError, match=r"the input cannot be sent as JSON: input\[0\]"):
        hkube.run(start, input=[object()])


def test_not_on_the_main_thread(hkube: HKube) -> None:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            hkube.run(lambda args: 1)
        except WrongUse as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "works in the main thread only" in str(raised[0])


def test_ctrl_c_is_not_a_failure_of_the_algorithm(hkube: HKube, write: Write) -> None:
    path = write("""
        import os, signal

        def start(args):
            try:
                os.kill(os.getpid(), signal.SIGINT)
            except BaseException:
                pass
    """)
    with pytest.raises(KeyboardInterrupt):
        hkube.run(path)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert hkube.run(lambda args: 1).result == 1


def test_exceptions_of_pytest_pass_through(hkube: HKube) -> None:
    with pytest.raises(pytest.skip.Exception, match="inside"):
        hkube.run(lambda args: pytest.skip("inside"))
    assert hkube.run(lambda args: 1).result == 1


def test_log_level_is_that_of_pytest(hkube: HKube, caplog: pytest.LogCaptureFixture) -> None:
    def start(args: Any) -> None:
        logging.getLogger("alg").info("only with the level")

    assert hkube.run(start).logs == []
    with caplog.at_level(logging.INFO):
        assert hkube.run(start).logs == ["only with the level"]
